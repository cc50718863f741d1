"""What it imports is named in requirements.txt and installed before it runs."""
import json
import os

import greetings

print(greetings.hello("requirements"))
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
    json.dump({"version": greetings.__version__}, file)
