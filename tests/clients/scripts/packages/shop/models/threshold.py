import json
import pkgutil


def predict(value):
    return value > json.loads(pkgutil.get_data("shop", "settings.json"))["threshold"]
