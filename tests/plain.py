"""The plain modules beside the tests: with importlib mode a test file is in no package, and neither are they.

This one is found by its name, for pyproject.toml puts its folder in the path; for the others there is `module_at`.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType


def module_at(path: Path) -> ModuleType:
    """The module in this file, made anew at each call."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
