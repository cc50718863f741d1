"""docs/keras-coverage.md says what of Keras's public names is here: as long as it is what its script writes."""
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_the_document_is_what_the_script_writes():
    done = subprocess.run([ROOT / "scripts/keras-coverage", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
