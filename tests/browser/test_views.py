"""What the console's views show, each shortly, in Chromium."""
import json
import os
import random
import re
import struct
import subprocess
import sys
import time

import pytest
from conftest import SCREENSHOTS, create_job, wait_for_job
from platform_fixtures import BIN, ROOT


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


def commands_of(page):
    """{"curl": …}: the texts of the tester's commands."""
    shown = page.locator("details:has(summary:text('The same request')) > div")
    return {each.locator("p").inner_text(): each.locator("pre").text_content() for each in shown.all()}


def test_an_endpoint_is_updated_scaled_and_watched_by_variant(console, boto, endpoint):
    sagemaker, page = boto("sagemaker"), console.page
    sagemaker.create_endpoint_config(EndpointConfigName="console-two", ProductionVariants=[
        {"VariantName": name, "ModelName": "console-model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1}
        for name in ("first", "second")])
    page.goto(f"/console/endpoints/{endpoint}")
    page.get_by_role("button", name="Update").click()
    question = page.get_by_role("dialog", name=f"Update {endpoint}")
    question.get_by_label("Configuration").select_option("console-two")
    question.get_by_role("button", name="Update").click()
    page.get_by_role("row", name="second").wait_for(timeout=30_000)
    page.locator(".status.InService").wait_for(timeout=30_000)
    page.get_by_role("button", name="Scale first").click()
    page.get_by_label("Instances").fill("0")
    assert page.get_by_role("button", name="Change").is_disabled()
    page.get_by_label("Instances").fill("2")
    page.get_by_role("spinbutton", name="Weight").fill("3")
    page.get_by_role("button", name="Change").click()
    page.get_by_text("2 of 2").wait_for(timeout=30_000)
    page.get_by_text("75.0 %").wait_for()
    page.get_by_label("Or a body").fill('{"instances": [1]}')  # the model wants pictures
    page.get_by_label("Variant").select_option("second")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("alert").wait_for()
    page.get_by_role("tab", name="Traffic").click()
    row = page.get_by_role("region", name="Variants' figures").get_by_role("row", name="second")
    row.wait_for()
    console.until("[...document.querySelectorAll('tr')].some((row) => /^second\\t1\\t1\\t0\\t.* ms/.test(row.innerText))")
    assert page.get_by_role("heading", name="Model latency (ms)").count() == 1
    console.screenshot("endpoint-traffic")
    page.get_by_role("tab", name="Logs").click()
    page.get_by_label("Variant").select_option("second")
    page.locator(".log pre div").first.wait_for()


def test_the_testers_commands_send_the_same_request(console, server, endpoint, cifar10, tmp_path):
    page, data = console.page, cifar10 / "eval/eval.tfrecords"
    picture, array = (server.headrace("images", data, tmp_path, "--count", "1", "--as", kind).stdout.strip() for kind in ("png", "npy"))
    page.goto(f"/console/endpoints/{endpoint}")
    page.get_by_label("Classes").fill("plane, car, bird")
    page.get_by_label("Drop an image").set_input_files(array)
    page.get_by_text("Answered in").wait_for()
    page.get_by_text("The same request as a command").click()
    page.locator("details pre", has_text="Content-Type: application/x-npy").wait_for()
    page.get_by_label("Drop an image").set_input_files(picture)
    page.locator("details pre", has_text="Content-Type: application/json").wait_for()
    page.get_by_text("Answered in").wait_for()
    page.locator(".bars-table").get_by_text("bird").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Save it").click()
    download.value.save_as(tmp_path / "request.json")
    page.get_by_text("Answer", exact=True).click()
    answer = json.loads(page.locator("details pre").first.text_content())
    commands = commands_of(page)
    (tmp_path / "request.cc").write_text(commands["C++"])
    library = BIN.parent / "lib"
    path = f"{BIN}:{os.environ['PATH']}"
    for command in (["sh", "-c", commands["Shell"]], ["sh", "-c", commands["curl"]], [sys.executable, "-c", commands["boto3"]],
                    ["sh", "-c", f"g++ -std=c++20 request.cc -I{ROOT}/include -L{library} -lheadrace_sagemaker -Wl,-rpath,{library} -o request && ./request"]):
        ran = subprocess.run(command, cwd=tmp_path, env=server.client_environment(PATH=path), capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)["predictions"][0] == pytest.approx(answer["predictions"][0], rel=1e-5)


def test_the_tester_sends_csv_pasted_and_from_a_file(console, endpoint, tmp_path):
    page, row = console.page, ",".join(["7"] * 32 * 32 * 3)
    page.goto(f"/console/endpoints/{endpoint}")
    page.get_by_label("Content type").select_option("text/csv")
    page.get_by_label("Or a body").fill(row)
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Answered in").wait_for()
    scores = page.locator(".bars-table").inner_text()
    assert len(scores.splitlines()) >= 10
    (tmp_path / "row.csv").write_text(row + "\n")
    page.get_by_text("The same request as a command").click()
    page.get_by_label("Drop an image").set_input_files(tmp_path / "row.csv")
    page.locator("details pre", has_text="row.csv").first.wait_for()
    page.get_by_text("Answered in").wait_for()
    assert page.locator(".bars-table").inner_text() == scores


def test_an_endpoint_is_deleted_with_what_it_was_made_from(console, boto, endpoint):
    sagemaker, page = boto("sagemaker"), console.page
    model = sagemaker.describe_model(ModelName="console-model")
    sagemaker.create_model(ModelName="doomed", ExecutionRoleArn=model["ExecutionRoleArn"], PrimaryContainer={
        "Image": model["PrimaryContainer"]["Image"], "ModelDataUrl": model["PrimaryContainer"]["ModelDataUrl"]})
    sagemaker.create_endpoint_config(EndpointConfigName="doomed", ProductionVariants=[
        {"VariantName": "AllTraffic", "ModelName": "doomed", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}])
    sagemaker.create_endpoint(EndpointName="doomed", EndpointConfigName="doomed")
    page.goto("/console/endpoints/doomed")
    page.get_by_role("button", name="Delete").click()
    question = page.get_by_role("dialog", name="Delete doomed?")
    assert question.get_by_role("button", name="Delete").is_disabled()
    page.keyboard.press("Escape")
    question.wait_for(state="detached")  # and the focus is where it was
    assert page.evaluate("document.activeElement.textContent") == "Delete"
    page.keyboard.press("Enter")
    question.get_by_label("Its name").fill("doomed")
    question.get_by_label("with its configuration and models").check()
    question.get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Endpoints").wait_for()
    for kind, operation in (("EndpointConfigs", sagemaker.list_endpoint_configs), ("Models", sagemaker.list_models)):
        assert not operation(NameContains="doomed")[kind]


def test_a_transform_job_is_created_shown_and_cloned(console, boto, endpoint):
    s3, page = boto("s3"), console.page
    s3.put_object(Bucket="console-models", Key="pictures/one.json", Body=json.dumps({"instances": [[[[0] * 3] * 32] * 32]}))
    page.goto("/console/create-transform")
    page.get_by_label("Name", exact=True).fill("console-transform")
    page.get_by_label("Model").fill("console-model")
    page.get_by_label("Input").fill("s3://no-such-bucket/pictures")
    page.get_by_text("There is no bucket no-such-bucket").wait_for()
    assert page.get_by_role("button", name="Create").is_disabled()
    page.get_by_label("Input").fill("s3://console-models/pictures/")
    page.get_by_label("Output").fill("s3://console-models/answers")
    page.get_by_role("button", name="Create").click()
    page.locator(".status.Completed").wait_for(timeout=30_000)
    console.screenshot("transform")
    page.get_by_role("tab", name="Logs").click()
    page.locator(".log pre div").first.wait_for()
    page.get_by_role("link", name="Create like this").click()
    assert page.get_by_label("Name", exact=True).input_value() == "console-transform-2"
    assert page.get_by_label("Input").input_value() == "s3://console-models/pictures/"
    page.goto("/console/transforms/console-transform")
    page.get_by_role("link", name="s3://console-models/answers").click()
    page.get_by_role("button", name="one.json.out", exact=True).click()
    page.get_by_text("predictions").wait_for()


def test_a_transform_job_is_watched_and_stopped(console, boto, endpoint):
    s3, page = boto("s3"), console.page
    line = json.dumps({"instances": [[[[0] * 3] * 32] * 32]}) + "\n"
    s3.put_object(Bucket="console-models", Key="many/0.jsonl", Body=line * 100)
    for number in range(1, 200):
        s3.copy_object(Bucket="console-models", Key=f"many/{number}.jsonl", CopySource="console-models/many/0.jsonl")
    boto("sagemaker").create_transform_job(
        TransformJobName="console-long", ModelName="console-model", MaxConcurrentTransforms=1, BatchStrategy="SingleRecord",
        TransformInput={"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://console-models/many/"}},
                        "ContentType": "application/json", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": "s3://console-models/many-answers"}, TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1})
    page.goto("/console/transforms/console-long?tab=instances")
    page.get_by_role("heading", name="CPUUtilization").wait_for(timeout=30_000)
    console.screenshot("transform-instances")
    page.get_by_role("button", name="Stop").click()
    page.locator(".status.Stopped").wait_for(timeout=30_000)
    assert page.get_by_role("button", name="Stop").count() == 0
    assert boto("sagemaker").describe_transform_job(TransformJobName="console-long")["TransformJobStatus"] == "Stopped"


def test_an_upload_shows_how_far_it_is(console, boto, tmp_path):
    s3, page = boto("s3"), console.page
    bucket = f"console-upload-{time.time_ns()}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    (tmp_path / "large.bin").write_bytes(random.randbytes(3 << 20))
    page.goto(f"/console/storage/{bucket}")
    network = console.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 1 << 20})
    page.get_by_label("Upload").set_input_files(tmp_path / "large.bin")
    console.until("(() => { const bar = document.querySelector('progress'); return bar && bar.value > 0 && bar.value < 1; })()")
    assert page.get_by_label("large.bin").count() == 1  # the bar has the file's name
    page.locator("progress").wait_for(state="detached", timeout=30_000)
    page.get_by_role("button", name="large.bin", exact=True).wait_for()
    assert s3.get_object(Bucket=bucket, Key="large.bin")["Body"].read() == (tmp_path / "large.bin").read_bytes()


def test_a_form_tells_what_is_wrong_while_one_types(console, boto, jobs):
    page = console.page
    page.goto("/console/create-job?like=console-a")
    name, role = page.get_by_label("Name", exact=True), page.get_by_label("Role")
    name.fill("console-b")
    page.get_by_text("There is one of this name").wait_for()
    name.fill("console-like-a")
    role.fill("nobody")
    page.get_by_text("Wanted arn:aws:iam").wait_for()
    role.fill("arn:aws:iam::123456789012:role/MyRole")
    page.get_by_label("Hyperparameters: value of lr").fill("0.5")
    page.get_by_role("tab", name="Whole request").click()
    request = page.get_by_label("Request")
    whole = json.loads(request.input_value())
    assert whole["HyperParameters"]["lr"] == "0.5"
    whole["HyperParameters"]["epochs"] = 5
    request.fill(json.dumps(whole))
    page.get_by_text('Hyperparameters epochs: wanted a text, "5" in quotes').wait_for()
    whole["HyperParameters"]["epochs"] = "5"
    request.fill(json.dumps(whole))
    page.get_by_role("button", name="Create").click()
    page.get_by_role("heading", name="console-like-a").wait_for()
    assert boto("sagemaker").describe_training_job(TrainingJobName="console-like-a")["HyperParameters"] == {"lr": "0.5", "epochs": "5"}


def test_jobs_are_sorted_by_any_column_and_filtered_by_date(console, jobs):
    page = console.page
    page.get_by_role("link", name="console-a", exact=True).wait_for()
    page.get_by_role("button", name="Duration").click()
    assert page.get_by_role("columnheader", name="Duration").get_attribute("aria-sort") == "ascending"
    page.get_by_label("Name contains").fill("console-")
    page.get_by_role("link", name="console-c").wait_for()
    seconds = page.evaluate("""[...document.querySelectorAll('tbody tr td:last-child')].map((cell) => cell.innerText)
        .filter((text) => /^[0-9.]+ s$/.test(text)).map((text) => parseFloat(text))""")
    assert len(seconds) > 2 and seconds == sorted(seconds)
    page.get_by_label("To", exact=True).fill("2001-01-01")
    page.get_by_text("None matches").wait_for()
    page.get_by_role("button", name="All").click()
    page.get_by_role("link", name="console-a", exact=True).wait_for()


def bucket_for(boto, what):
    s3, name = boto("s3"), f"console-{what}-{time.time_ns()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return name


def test_an_evaluation_is_found_with_the_images_behind_a_cell(console, server, boto, endpoint, cifar10, tmp_path):
    page, bucket = console.page, bucket_for(boto, "evaluation")
    data, report = f"s3://{bucket}/eval/eval.tfrecords", f"s3://{bucket}/evaluations/{endpoint}"
    boto("s3").upload_file(str(cifar10 / "eval/eval.tfrecords"), bucket, "eval/eval.tfrecords")
    told = json.loads(server.headrace("evaluate", "--endpoint", endpoint, "--data", data, "--report", report, "-o", "json").stdout)
    page.goto("/console/evaluations")
    page.get_by_role("link", name=f"{bucket}/evaluations/{endpoint}").click()
    page.get_by_role("region", name="Confusion matrix").wait_for()
    matrix = told["confusion_matrix"]
    truth, predicted = max(((i, j) for i in range(10) for j in range(10) if i != j), key=lambda cell: matrix[cell[0]][cell[1]])
    names, count = [each["name"] for each in told["classes"]], matrix[truth][predicted]
    page.get_by_role("button", name=f"{count} of {names[truth]} taken for {names[predicted]}").click()
    page.locator(".images li").nth(min(count, 48) - 1).wait_for()
    assert page.locator(".images li").count() == min(count, 48)
    rows = boto("s3").get_object(Bucket=bucket, Key=f"evaluations/{endpoint}/predictions.csv")["Body"].read().decode().splitlines()[1:]
    record = next(row.split(",")[0] for row in rows if row.split(",")[1:3] == [str(truth), str(predicted)])
    assert page.locator(".images li").first.inner_text().startswith(f"record {record}\n")
    # The first of them is the picture that the file has there.
    drawn = page.evaluate("[...document.querySelector('.images canvas').getContext('2d').getImageData(0, 0, 32, 32).data].filter((_, i) => i % 4 < 3)")
    server.headrace("images", cifar10 / "eval/eval.tfrecords", tmp_path, "--skip", record, "--count", "1", "--as", "npy")
    assert bytes(drawn) == next(tmp_path.glob("*.npy")).read_bytes()[-3072:]
    console.screenshot("evaluation-cell")
    page.goto(f"/console/endpoints/{endpoint}?tab=evaluation")
    page.get_by_role("link", name=f"{bucket}/evaluations/{endpoint}").wait_for()


def test_health_shows_the_machine_and_what_runs_for_its_user_alone(console, open_console, server, boto, endpoint):
    page = console.page
    create_job(boto, "console-busy", "sleep 600")
    page.goto("/console/health")
    page.get_by_role("row", name=re.compile(f"^Endpoint {endpoint}")).first.wait_for()
    page.get_by_role("row", name=re.compile("^Training job console-busy algo-1")).wait_for()
    boto("sagemaker").stop_training_job(TrainingJobName="console-busy")
    page.get_by_text(re.compile(r"^[\d.]+ of \d+$")).first.wait_for()
    version = subprocess.run([BIN / "headrace", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
    assert page.get_by_role("row", name=re.compile("^Headrace")).inner_text().split() == ["Headrace", version]
    console.screenshot("health")
    page.get_by_role("tab", name="Doctor").click()
    page.get_by_text("Examined").wait_for(timeout=60_000)
    assert page.get_by_role("row", name=re.compile("^sandbox")).count() == 1
    page.get_by_role("tab", name="Figures").click()
    page.get_by_role("region", name="Figures").get_by_text("headrace_http_requests_total").first.wait_for()
    keys = dict(re.findall(r"(AWS_ACCESS_KEY_ID|AWS_SECRET_ACCESS_KEY)=(\S+)", server.headrace("keys", "create", "bystander", "--data-dir", server.directory).stdout))
    bystander = open_console()
    page = bystander.sign_in(keys, "/console/health")
    page.get_by_text("None of your jobs or endpoints has a process").wait_for()
    page.get_by_role("tab", name="Doctor").click()
    page.get_by_text("told to the server's owner alone").wait_for()


def test_a_comparison_has_speeds_and_is_one_picture(console, boto, jobs):
    page = console.page
    create_job(boto, "console-keras", "echo Epoch 1/1; sleep 0.2; echo '25/25 [=====] - 2s 66ms/step - loss: 0.5'", HyperParameters={"batch-size": "128"})
    wait_for_job(boto, "console-keras")
    page.goto("/console/compare?jobs=console-a,console-keras")
    page.get_by_text("1939.4").wait_for()
    assert page.get_by_role("row", name=re.compile("^Images.s")).inner_text().split() == ["Images/s", "–", "1939.4"]
    assert re.fullmatch(r"Time an epoch\s+–\s+0\.\d s", page.get_by_role("row", name=re.compile("^Time an epoch")).inner_text())
    assert "no price" in page.get_by_role("row", name=re.compile("^Cost")).get_by_role("cell").last.get_attribute("title")
    page.get_by_role("heading", name="loss").wait_for()
    page.locator(".chart canvas").first.wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture of all").click()
    picture = open(download.value.path(), "rb").read()
    width, height = struct.unpack(">II", picture[16:24])
    assert picture.startswith(b"\x89PNG") and width == 1200 and height > 400
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    (SCREENSHOTS / "comparison.png").write_bytes(picture)


def test_arrays_and_examples_are_previewed(console, boto, cifar10):
    import io
    page, bucket, s3 = console.page, bucket_for(boto, "preview"), boto("s3")
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"
    s3.put_object(Bucket=bucket, Key="array.npy", Body=b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<6f", 1, 2.5, 3, 4, 5, 6))
    s3.upload_fileobj(io.BytesIO((cifar10 / "eval/eval.tfrecords").read_bytes()), bucket, "eval.tfrecords")
    page.goto(f"/console/storage/{bucket}?object=array.npy")
    page.get_by_text("float32, shape (2, 3)").wait_for()
    page.get_by_text("1  2.5  3").wait_for()
    page.get_by_role("button", name="eval.tfrecords", exact=True).click()
    page.locator("canvas.example").nth(9).wait_for()
    page.get_by_role("button", name="Next examples").click()
    page.locator("canvas.example").nth(19).wait_for()
    page.get_by_role("rowheader", name="record 19").wait_for()


def test_a_link_takes_the_keyboard_and_the_title_along(console, jobs):
    page = console.page
    page.get_by_role("link", name="console-a", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="console-a").wait_for()
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.title() == "console-a · jobs · Headrace"
    page.goto("/console/jobs/%zz")  # no name of anything
    page.get_by_role("alert").wait_for()


MANY_LINES = """
const plain = window.fetch;
window.fetch = async (address, options) => {
  if (!String(address).endsWith("/logs/GetLogEvents")) return plain(address, options);
  const from = Number(JSON.parse(options.body).nextToken ?? 0), to = Math.min(from + 10000, 1000000);
  const events = Array.from({length: to - from}, (_, i) => ({timestamp: 1.8e12 + 10 * (from + i), message: `this is line ${from + i + 1} of the log`}));
  return new Response(JSON.stringify({events, nextForwardToken: String(to)}));
};
"""


def test_a_log_of_a_million_lines_is_searched_and_jumped_in(console, jobs):
    page = console.page
    page.add_init_script(MANY_LINES)
    page.goto("/console/jobs/console-a?tab=logs")
    page.get_by_text("1,000,000 lines").wait_for(timeout=30_000)
    page.get_by_text("this is line 1000000 of the log").wait_for()  # followed to its end
    place = page.get_by_label("Go to")
    place.fill("777777")
    place.press("Enter")
    page.get_by_text("this is line 777777 of the log").wait_for()
    assert page.locator(".log pre div").count() < 100
    page.get_by_role("button", name="Times: local").click()
    place.fill("2027-01-15 09:00:00")  # an hour behind the first line, which is 1.8 billion seconds
    place.press("Enter")
    page.get_by_text("this is line 360001 of the log").wait_for()
    place.fill("yesterday")
    place.press("Enter")
    assert "Wanted the number of a line" in place.evaluate("(field) => field.validationMessage")
    page.get_by_label("Search").fill("LINE 99999 ")
    page.get_by_text("1 lines").wait_for()
    page.get_by_role("button", name="Next").click()
    page.locator(".log .hit").wait_for()
    page.get_by_role("button", name="End").click()
    page.get_by_text("this is line 1000000 of the log").wait_for()
    page.get_by_label("With times").check()
    assert page.locator(".log pre div").last.inner_text() == "2027-01-15 10:46:39.990 this is line 1000000 of the log"


MANY_JOBS = """
const plain = window.fetch;
window.fetch = async (address, options) => {
  if (!String(address).endsWith("/sagemaker/ListTrainingJobs")) return plain(address, options);
  const from = Number(JSON.parse(options.body).NextToken ?? 0), to = Math.min(from + 100, 250);
  const jobs = Array.from({length: to - from}, (_, i) => ({TrainingJobName: `many-${from + i}`, TrainingJobStatus: "Completed", CreationTime: 1.8e9,
    TrainingEndTime: 1.8e9 + (from + i) * 7 % 250}));
  return new Response(JSON.stringify({TrainingJobSummaries: jobs, ...(to < 250 ? {NextToken: String(to)} : {})}));
};
"""


def test_a_long_list_comes_in_pages_and_is_sorted_as_a_whole(console):
    page = console.page
    page.add_init_script(MANY_JOBS)
    page.goto("/console/jobs")
    rows = page.locator("tbody tr")
    for count in (100, 200, 250):
        rows.nth(count - 1).wait_for()
        assert rows.count() == count
        page.get_by_role("button", name="Next rows").click() if count < 250 else None
    assert page.get_by_role("button", name="Next rows").count() == 0
    page.goto("/console/jobs?sort=-duration")  # which the service has no order by
    rows.nth(249).wait_for()
    assert rows.first.inner_text().split("\t")[-1] == "4 min 9 s" and rows.last.inner_text().split("\t")[-1] == "0.0 s"
