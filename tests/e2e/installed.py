"""An installed package, and what it takes to build a program against it: fixtures, to be imported by their names."""

import os
import re
import shlex
import shutil

import pytest
from clients import run


def must(*argv, **options):
    done = run(argv, **options)
    assert done.returncode == 0, done
    return done.stdout


def install(bin_dir, *words, **environment):
    must("cmake", "--install", bin_dir.parent, *words, env={**os.environ, **environment})


@pytest.fixture(scope="module")
def prefix(bin_dir, tmp_path_factory):
    """A prefix with a space in its name, installed into, then moved elsewhere."""
    if not (bin_dir.parent / "cmake_install.cmake").exists():
        pytest.skip(f"{bin_dir.parent} is no build tree")
    there = tmp_path_factory.mktemp("install") / "first place"
    install(bin_dir, "--prefix", there)
    moved = there.parent / "a moved prefix"
    there.rename(moved)
    return moved


@pytest.fixture(scope="module")
def compilers(bin_dir):
    """What a program needs to link the library of this build: the compiler of its language, and flags."""
    cache = dict(re.findall(r"^(\w+):\w+=(.+)$", (bin_dir.parent / "CMakeCache.txt").read_text(), re.MULTILINE))
    kinds = cache.get("JACKAL_SANITIZE")
    flags = [f"-fsanitize={kinds}"] if kinds else []
    return {"cpp": [cache["CMAKE_CXX_COMPILER"], *flags], "c": [cache["CMAKE_C_COMPILER"], *flags]}


@pytest.fixture(scope="module")
def compiler(compilers):
    return compilers["cpp"]


@pytest.fixture(scope="module")
def linking(prefix):
    """The words that pkg-config gives for the installed library, and the directory where that is."""
    if shutil.which("pkg-config") is None:
        pytest.skip("no pkg-config")
    library = next(prefix.rglob("jackal.pc")).parent
    env = {**os.environ, "PKG_CONFIG_PATH": str(library)}
    return shlex.split(must("pkg-config", "--cflags", "--libs", "jackal", env=env)), library.parent
