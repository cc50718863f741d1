"""What the console's views show, each shortly, in Chromium."""
import re


def test_times_are_local_or_utc_everywhere(open_console, session_cookie, jobs):
    console = open_console(timezone_id="Asia/Kolkata", locale="en-GB")
    console.context.add_cookies([session_cookie])
    page = console.page
    page.goto("/console/jobs")
    row = page.get_by_role("row", name="console-a").locator("time")
    instant = row.get_attribute("datetime")
    assert "UTC" not in row.inner_text()
    page.get_by_role("button", name="Times: local").click()
    assert row.inner_text() == instant.replace("T", " ").replace("Z", " UTC")
    page.goto("/console/jobs/console-a?tab=logs")  # it stays chosen
    page.get_by_text("loss: 0.85").wait_for()
    shown = page.locator(".log pre div").first.get_attribute("title")
    page.get_by_role("button", name="Times: UTC").click()
    other = page.locator(".log pre div").first.get_attribute("title")
    hours = [int(text[11:13]) * 60 + int(text[14:16]) for text in (shown, other)]
    assert (hours[1] - hours[0]) % 1440 == 330 and re.fullmatch(r"[-0-9]{10} [:0-9]{8}\.\d{3}", shown)
