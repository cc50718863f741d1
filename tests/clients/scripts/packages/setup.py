from setuptools import find_packages, setup

setup(name="shop", version="0.1", packages=find_packages(), package_data={"shop": ["settings.json"]})
