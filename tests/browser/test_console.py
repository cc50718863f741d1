"""The console in Chromium: sign-in, jobs, comparison, storage, another account, accessibility."""
import json
import re
import struct
import time

import pytest
from conftest import NARROW, create_job, wait_for_job


def test_nobody_sees_anything_without_signing_in(open_console, jobs):
    console = open_console()
    console.page.goto("/console/jobs/console-a")
    console.page.get_by_role("heading", name="Headrace").wait_for()
    assert "console-a" not in console.page.locator("body").inner_text()
    console.page.get_by_label("Access key ID").fill("AKIAWRONG")
    console.page.get_by_label("Secret access key").fill("wrong")
    console.page.get_by_role("button", name="Sign in").click()
    assert "do not belong together" in console.page.get_by_role("alert").inner_text()
    console.screenshot("sign-in")


def test_a_link_signs_in_once(open_console, server):
    url = server.headrace("console", "--print").stdout.split()[-1]
    first, second = open_console(), open_console()
    first.page.goto(url)
    first.page.get_by_role("button", name="Sign out").wait_for()
    assert "ticket" not in first.page.url
    second.page.goto(url)
    assert "has been used" in second.page.get_by_role("alert").inner_text()


def test_the_cookie_is_out_of_scripts_reach_and_a_session_that_ends_says_so(open_console):
    console = open_console()
    console.sign_in()
    assert console.page.evaluate("document.cookie") == ""
    cookie, = console.context.cookies()
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/console"
    console.context.clear_cookies()
    console.page.get_by_text("Your session has ended").wait_for()


def test_jobs_are_listed_filtered_and_sorted(console, jobs):
    page = console.page
    page.get_by_role("link", name="console-a").wait_for()
    page.get_by_label("Status").select_option("Failed")
    page.get_by_role("link", name="console-c").wait_for()
    page.get_by_role("link", name="console-a").wait_for(state="detached")
    page.get_by_label("Status").select_option("any")
    page.get_by_role("button", name="Name").click()
    page.get_by_label("Name contains").fill("console-")
    page.get_by_role("link", name="console-").nth(2).wait_for()
    names = page.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert names == sorted(names)
    assert "sort=name" in page.url and "name=console-" in page.url  # every view is an address
    console.screenshot("jobs")


def test_a_job_shows_its_curves_its_log_and_what_it_was_asked_for(console, jobs):
    page = console.page
    page.goto("/console/jobs/console-a")
    page.get_by_role("heading", name="loss").wait_for()
    page.get_by_role("button", name="Table").first.click()
    assert page.get_by_role("region", name="Values").get_by_role("row").count() == 1 + 5  # both losses of an epoch stand in its row
    console.screenshot("job-metrics")
    page.get_by_role("tab", name="Logs").click()
    page.get_by_text("loss: 0.85 - val_loss: 0.89").wait_for()
    page.get_by_label("Search").fill("0.45")
    page.get_by_text("1 lines").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert "loss: 0.85" in open(download.value.path()).read()
    page.get_by_role("tab", name="Configuration").click()
    page.get_by_role("cell", name="0.1", exact=True).wait_for()
    console.screenshot("job-configuration")


def test_a_long_log_is_searched_and_saved_whole(console, boto):
    """More lines than the page packs into one piece, the last of which is open."""
    create_job(boto, "console-long-log", "i=0; while [ $i -lt 7001 ]; do echo \"line $i of many: äöü\"; i=$((i+1)); done")
    wait_for_job(boto, "console-long-log")
    page = console.page
    page.goto("/console/jobs/console-long-log?tab=logs")
    page.get_by_text("line 7000 of many").wait_for()
    page.get_by_label("Search").fill("LINE 3999 ")
    page.get_by_text("1 lines", exact=True).wait_for()
    page.get_by_role("button", name="Next").click()
    page.locator(".log .hit").wait_for()
    assert page.locator(".log .hit").inner_text() == "line 3999 of many: äöü"
    page.get_by_label("Search").fill("")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    printed = [line for line in open(download.value.path(), encoding="utf-8").read().splitlines() if " of many" in line]
    assert printed == [f"line {i} of many: äöü" for i in range(7001)]


def test_curves_go_over_time_or_steps_and_are_smoothed(console, jobs):
    """loss is 0.85, 0.75, … 0.45, five values 50 ms apart."""
    page = console.page

    def table():
        titles, *rows = page.get_by_role("region", name="Values").get_by_role("row").all()
        return [dict(zip(titles.get_by_role("columnheader").all_inner_texts(), row.locator("th, td").all_inner_texts())) for row in rows]

    page.goto("/console/jobs/console-a?axis=step")
    page.get_by_role("button", name="Table").first.click()
    page.get_by_role("columnheader", name="Step").wait_for()
    assert [(row["Step"], row["train:loss"], row["validation:loss"]) for row in table()] == [
        ("1", "0.85", "0.89"), ("2", "0.75", "0.79"), ("3", "0.65", "0.69"), ("4", "0.55", "0.59"), ("5", "0.45", "0.49")]
    page.goto("/console/jobs/console-a?axis=step&smoothing=0.5&from=2&to=4")  # a place of its own: a zoom has an address
    page.get_by_role("button", name="Table").first.click()
    page.get_by_role("columnheader", name="train:loss, smoothed").wait_for()
    averages = [(0.85 * 0.5 + 0.75) / 1.5, (0.85 * 0.25 + 0.75 * 0.5 + 0.65) / 1.75]  # they know the first value, which is not shown
    assert [(row["Step"], float(row["train:loss, smoothed"])) for row in table()] == [
        ("2", pytest.approx(averages[0], abs=1e-4)), ("3", pytest.approx(averages[1], abs=1e-4))]
    page.get_by_role("button", name="Show all").click()
    page.locator("[aria-label=Values] tbody tr").nth(4).wait_for()
    page.get_by_label("Axis").select_option("since start")
    page.get_by_role("columnheader", name="Seconds since start").wait_for()
    elapsed = [float(row["Seconds since start"]) for row in table()]
    assert elapsed == sorted(elapsed) and 0 <= elapsed[0] and elapsed[-1] < 10
    page.get_by_label("Axis").select_option("time")
    page.get_by_role("columnheader", name="Seconds since start").wait_for(state="detached")


def test_a_chart_is_zoomed_into_by_dragging(console, jobs):
    page = console.page
    page.goto("/console/jobs/console-a?axis=step")
    over = page.locator(".chart .u-over").first
    over.wait_for()
    box = over.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=3)
    page.mouse.up()
    page.get_by_role("button", name="Show all").wait_for()
    page.get_by_role("button", name="Table").first.click()
    page.locator("[aria-label=Values] tbody tr").nth(1).wait_for(state="detached")
    assert page.locator("[aria-label=Values] tbody th").all_inner_texts() == ["3"]  # of 1 to 5
    page.get_by_role("button", name="Show all").click()
    page.locator("[aria-label=Values] tbody tr").nth(4).wait_for()
    page.get_by_role("button", name="Zoom in").press("Enter")  # the middle half
    page.locator("[aria-label=Values] tbody tr").nth(2).wait_for(state="detached")
    assert page.locator("[aria-label=Values] tbody th").all_inner_texts() == ["2", "3"]
    page.get_by_role("button", name="Move right").press("Enter")
    page.locator("[aria-label=Values] tbody th").get_by_text("4").wait_for()
    assert page.locator("[aria-label=Values] tbody th").all_inner_texts() == ["3", "4"]


def test_a_failure_is_told_in_large(console, jobs):
    console.page.goto("/console/jobs/console-c")
    assert re.search("exit code:? 3", console.page.get_by_role("region", name="Failure").inner_text(), re.IGNORECASE)
    console.screenshot("job-failed")


def test_a_job_is_created_watched_and_stopped(console, boto, jobs):
    page = console.page
    create_job(boto, "console-live-1", "for i in $(seq 600); do echo \"step $i loss: 0.5\"; sleep 0.1; done")
    page.goto("/console/jobs/console-live-1?tab=logs")
    page.get_by_text("step 3 loss: 0.5").wait_for()
    page.get_by_text("step 12 loss: 0.5").wait_for()  # it follows
    page.get_by_role("link", name="Create like this").click()
    page.get_by_label("Name").fill("not a name")
    page.get_by_text("letters, digits and single hyphens").wait_for()
    assert page.get_by_role("button", name="Create").is_disabled()
    page.get_by_label("Name").fill("console-live-2")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("heading", name="console-live-2").wait_for()
    for name in ("console-live-1", "console-live-2"):
        page.goto(f"/console/jobs/{name}")
        page.get_by_role("button", name="Stop").click()
        page.locator(".status.Stopped").first.wait_for(timeout=30_000)


def test_jobs_are_compared(console, jobs):
    page = console.page
    page.get_by_label("Compare console-a").check()
    page.get_by_label("Compare console-b").check()
    page.get_by_role("button", name="Compare 2").click()
    page.get_by_role("heading", name="loss").wait_for()
    assert page.get_by_role("row", name=re.compile("--lr")).inner_text().split() == ["--lr", "0.1", "0.01"]
    assert page.get_by_role("row", name=re.compile("--epochs")).count() == 0  # they do not differ
    page.get_by_label("Axis").select_option("step")
    page.get_by_role("button", name="Table").click()
    page.get_by_role("columnheader", name="Step").wait_for()
    assert page.get_by_role("region", name="Values").get_by_role("row").count() == 1 + 5
    assert page.get_by_role("columnheader", name=re.compile("^console-[ab] (train|validation):loss$")).count() == 4
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG").click()
    assert open(download.value.path(), "rb").read(8) == b"\x89PNG\r\n\x1a\n"
    console.screenshot("compare")


def test_cloudwatchs_deep_link_opens_the_job(console, jobs):
    page = console.page
    page.goto("/cloudwatch/home?region=us-west-2#metricsV2:namespace=/aws/sagemaker/TrainingJobs;dimensions=TrainingJobName;search=console-b")
    page.get_by_role("heading", name="console-b").wait_for()
    assert page.url.endswith("/console/jobs/console-b")


def test_objects_are_put_shown_and_deleted(console, boto, tmp_path):
    s3 = boto("s3")
    bucket = f"console-objects-{time.time_ns()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    page = console.page
    page.goto(f"/console/storage/{bucket}")
    (tmp_path / "Zahlen ü&?.json").write_text(json.dumps({"a": [1, 2]}))
    page.get_by_label("Upload").set_input_files(tmp_path / "Zahlen ü&?.json")
    page.get_by_role("button", name="Zahlen ü&?.json", exact=True).click()
    page.get_by_text('"a": [').wait_for()
    assert json.loads(s3.get_object(Bucket=bucket, Key="Zahlen ü&?.json")["Body"].read()) == {"a": [1, 2]}
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert json.load(open(download.value.path())) == {"a": [1, 2]}
    page.get_by_role("button", name="Delete Zahlen").click()
    page.get_by_text("Nothing here").wait_for()
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_training_data_is_previewed(console, boto, cifar10):
    s3 = boto("s3")
    bucket = f"console-data-{time.time_ns()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    s3.upload_file(str(cifar10 / "eval/eval.tfrecords"), bucket, "eval/eval.tfrecords")
    page = console.page
    page.goto(f"/console/storage/{bucket}")
    page.get_by_role("link", name="eval/").click()
    page.get_by_role("button", name="eval.tfrecords", exact=True).click()
    page.get_by_text("image: bytes, 1 value of 3072 bytes").first.wait_for()


def test_an_evaluations_report_is_a_confusion_matrix(console, boto):
    s3 = boto("s3")
    bucket = f"console-report-{time.time_ns()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    figures = {"precision": 0.5, "recall": 0.75, "f1": 0.6, "support": 4}
    s3.put_object(Bucket=bucket, Key="report.json", Body=json.dumps({
        "accuracy": 0.625, "images": 8, "model": "m", "data": "d", "macro_average": figures, "confusion_matrix": [[3, 1], [2, 2]],
        "classes": [{"name": "cat", **figures}, {"name": "dog", **figures}]}))
    page = console.page
    page.goto(f"/console/storage/{bucket}?object=report.json")
    matrix = page.get_by_role("region", name="Confusion matrix")
    assert matrix.get_by_role("row", name=re.compile("^cat")).inner_text().split() == ["cat", "3", "1"]
    page.get_by_label("shares of the true class").check()
    assert matrix.get_by_role("row", name=re.compile("^dog")).inner_text().split() == ["dog", "50.0", "%", "50.0", "%"]
    console.screenshot("evaluation")


def test_an_endpoint_is_asked_with_a_picture(console, endpoint, cifar10, tmp_path):
    server, page = console.server, console.page
    server.headrace("images", cifar10 / "eval/eval.tfrecords", tmp_path, "--count", "1")
    page.goto("/console/endpoints")
    page.get_by_role("link", name=endpoint).click()
    page.get_by_label("Drop an image").set_input_files(next(tmp_path.glob("*.png")))
    page.get_by_text("Answered in").wait_for()
    assert page.locator(".bars-table tbody tr").count() == 10
    page.get_by_text("The same request as a command").click()
    page.get_by_text(f"headrace invoke {endpoint}").wait_for()
    page.get_by_label("Or a body").fill("no json")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("alert").wait_for()  # the model's refusal, in its words
    console.screenshot("endpoint")
    page.get_by_role("tab", name="Traffic").click()
    page.get_by_role("heading", name="Requests", exact=True).wait_for()


SCRIPT = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'


def tf_record(name):
    """A file of one tf.Example, whose one feature has this name."""
    field = lambda number, value: bytes([8 * number + 2, len(value) & 127 | 128, len(value) >> 7]) + value
    example = field(1, field(1, field(1, name.encode()) + field(2, field(1, field(1, b"x")))))
    return struct.pack("<Q", len(example)) + bytes(4) + example + bytes(4)


def test_what_people_name_and_print_is_text(console, boto, jobs):
    """Object names, log lines, metric names, reports and data, SVG objects, all of a stranger's making, run nothing."""
    s3, page = boto("s3"), console.page
    bucket = create_job(boto, "console-xss", f"echo '{SCRIPT}'; exit 1", HyperParameters={"x": SCRIPT})
    wait_for_job(boto, "console-xss")
    boto("cloudwatch").put_metric_data(Namespace="/aws/sagemaker/TrainingJobs", MetricData=[
        {"MetricName": SCRIPT[:200], "Dimensions": [{"Name": "TrainingJobName", "Value": "console-xss"}], "Value": 1}])
    figures = {"precision": 0.5, "recall": 0.75, "f1": 0.6, "support": 4}
    report = {"accuracy": 1, "images": SCRIPT, "endpoint": SCRIPT, "data": f"s3://{bucket}/{SCRIPT}", "confusion_matrix": [[1]], "classes": [{"name": SCRIPT, **figures}]}
    header = f"{{'descr': '{SCRIPT}', 'shape': (1,)}}".encode()
    for key, body in ((SCRIPT, b"x"), ("report.json", json.dumps(report)), ("bad.tfrecords", tf_record(SCRIPT)), ("predictions.csv", f"record,true,predicted,score\n0,0,0,{SCRIPT}\n"),
                      ("bad.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header), ("bad.txt", SCRIPT)):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    s3.put_object(Bucket=bucket, Key="picture.svg", ContentType="image/svg+xml",
                  Body=b'<svg xmlns="http://www.w3.org/2000/svg"><script>parent.document.title="owned";document.title="owned"</script></svg>')
    for place in ("jobs/console-xss", "jobs/console-xss?tab=logs", "jobs/console-xss?tab=configuration", "create-job?like=console-xss", "compare?jobs=console-xss,console-a",
                  "evaluations", f"evaluations/{bucket}/report.json", f"evaluations/{bucket}/report.json?cell=0-0", f"storage/{bucket}",
                  *(f"storage/{bucket}?object={key}" for key in ("picture.svg", "report.json", "bad.tfrecords", "bad.npy", "bad.txt"))):
        console.visit(place)
        assert "owned" not in page.title(), place
    for place, shown in (("evaluations", SCRIPT), (f"storage/{bucket}?object=bad.tfrecords", f"{SCRIPT}: bytes")):  # they did show it
        console.visit(place)
        page.get_by_text(shown).first.wait_for()
    # Opened as a page of its own, the object is saved, not shown.
    with page.expect_download():
        page.evaluate(f"location.href = '/console/objects/{bucket}/picture.svg'")
    assert "owned" not in page.title()


def test_no_page_frames_the_console(console, chromium):
    page = console.context.new_page()
    page.set_content(f'<iframe src="{console.server.url}/console/jobs"></iframe>')
    page.wait_for_timeout(500)
    assert page.frames[-1].url.startswith("chrome-error:")


def test_another_account_sees_nothing(open_console, server, jobs):
    text = server.headrace("keys", "create", f"stranger{time.time_ns()}", "--data-dir", server.directory).stdout
    keys = dict(re.findall(r"(AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY)=(\S+)", text))
    stranger = open_console()
    page = stranger.sign_in(keys)
    page.get_by_text("No training job yet").wait_for()
    page.goto("/console/jobs/console-a")
    assert "not found" in page.get_by_role("alert").inner_text().lower()
    page.goto("/console/storage")
    page.get_by_text("No bucket").wait_for()


PLACES = ["jobs", "jobs/console-a", "jobs/console-a?tab=logs", "jobs/console-a?tab=configuration", "jobs/console-c", "create-job", "compare?jobs=console-a,console-b",
          "create-job?like=console-a", "endpoints", "endpoints/console-endpoint?tab=test", "endpoints/console-endpoint?tab=traffic", "transforms", "create-transform",
          "evaluations", "storage", "health", "health?tab=doctor", "health?tab=figures", "endpoints/console-endpoint?tab=evaluation"]


@pytest.fixture
def further_places(boto, endpoint):
    """A report's and a transform job's."""
    figures = {"precision": 0.5, "recall": 0.75, "f1": 0.6, "support": 4}
    boto("s3").put_object(Bucket="console-models", Key="places/report.json", Body=json.dumps({
        "accuracy": 0.625, "images": 8, "endpoint": endpoint, "data": "s3://console-models/none", "confusion_matrix": [[3, 1], [2, 2]],
        "classes": [{"name": "cat", **figures}, {"name": "dog", **figures}]}))
    boto("sagemaker").create_transform_job(
        TransformJobName="console-places", ModelName="console-model", TransformOutput={"S3OutputPath": "s3://console-models/nowhere"},
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://console-models/places/"}}},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1})
    return ["evaluations/console-models/places/report.json", "transforms/console-places"]


def test_nothing_is_out_of_reach(console, jobs, endpoint, further_places):
    """axe-core finds no violation at any place, in either theme, and a narrow screen needs no sideways scrolling."""
    from axe_playwright_python.sync_playwright import Axe
    page, axe, found = console.page, Axe(), []
    wide = page.viewport_size
    for place in [*PLACES, *further_places, "endpoints/console-endpoint"]:
        console.visit(place)
        if place == "endpoints/console-endpoint":
            page.get_by_role("button", name="Delete").click()
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            found += [(place, theme, violation["id"], [node["html"][:120] for node in violation["nodes"][:3]]) for violation in axe.run(page).response["violations"]]
        page.set_viewport_size(NARROW)
        fits = page.evaluate("""width => new Promise(done => {  // charts that are drawn anew fit a frame or two later
            const begun = performance.now();
            const look = () => document.documentElement.scrollWidth <= width ? done(true) : performance.now() - begun > 3000 ? done(false) : requestAnimationFrame(look);
            look();
        })""", NARROW["width"])
        if not fits:
            found.append((place, "is wider than a narrow screen"))
        page.set_viewport_size(wide)
    assert not found


def test_a_keyboard_reaches_everything(console, jobs):
    page = console.page
    page.get_by_role("link", name="console-a").wait_for()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.goto("/console/jobs/console-a")
    page.get_by_role("tab", name="Metrics").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.textContent") == "Logs"
    assert "tab=logs" in page.url


def test_the_back_button_goes_back(console, jobs):
    page = console.page
    page.get_by_role("link", name="console-a").click()
    page.get_by_role("heading", name="console-a").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Training jobs").wait_for()
