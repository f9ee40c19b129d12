"""What `cmake --install` puts somewhere works there, wherever that is: the program, its SSH, the library, the manual."""

import json
import os
import re
import shutil
import sys

import pytest
from clients import lines, run
from fixture import ROOT
from installed import compiler, compilers, install, linking, must, prefix  # noqa: F401

EXAMPLE = ROOT / "examples/all_sum.cpp"
CONSUMER = """
cmake_minimum_required(VERSION 3.22)
project(consumer CXX)
find_package(Jackal REQUIRED)
add_executable(consumer main.cpp)
target_link_libraries(consumer PRIVATE Jackal::collectives)
"""


# What a piece of an example in docs/ may take for granted.
AROUND = """
#include <jackal/collectives.h>
#include <cstdio>
#include <vector>
int main() {
  jackal::Group group = jackal::init();
  std::vector<float> data(1000);
  double number = 0;
  %s
  return number != 0;
}
"""


def files(directory):
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file())


def test_a_local_job(prefix):
    assert lines(run([prefix / "bin/launch", "-n", "2", "--", "sh", "-c", "echo $MLX_RANK"])) == ["0", "1"]


def test_a_job_over_ssh_finds_its_ssh_in_the_prefix(prefix, make_cluster):
    cluster = make_cluster(nodes=1, keep=[prefix])
    launch = [prefix / "bin/launch", "--hosts", "n1", "--", "uname", "-n"]
    assert lines(cluster.exec("head", launch)) == ["n1"]
    # It is the installed one: without it, nothing is reached.
    module = next(path for path in prefix.rglob("ssh.so"))
    module.rename(module.with_suffix(".away"))
    try:
        gone = cluster.exec("head", launch)
        assert gone.returncode != 0 and gone.stdout == ""
        assert "--ssh=system" in gone.stderr or "--ssh system" in gone.stderr, gone.stderr
    finally:
        module.with_suffix(".away").rename(module)


def test_destdir_holds_the_same_files(bin_dir, prefix, tmp_path):
    install(bin_dir, "--prefix", "/opt/jackal", DESTDIR=str(tmp_path))
    assert files(tmp_path / "opt/jackal") == files(prefix)
    assert os.listdir(tmp_path) == ["opt"]


def test_nothing_names_the_build_tree(bin_dir, prefix):
    texts = [prefix / name for name in files(prefix) if name.endswith((".pc", ".cmake"))]
    assert len(texts) >= 2
    assert [path for path in texts if str(bin_dir.parent) in path.read_text()] == []
    for program in [prefix / "bin/launch", *prefix.rglob("ssh.so"), *prefix.rglob("libjackal.so")]:
        dynamic = run(["readelf", "-d", program]).stdout if sys.platform == "linux" else ""
        assert str(bin_dir.parent) not in dynamic


def test_the_manual_is_found(prefix):
    manual = next(path for path in prefix.rglob("man") if path.is_dir())
    for page, section in [("launch", "1"), ("jackal-hostfile", "5"), ("jackal-environment", "7")]:
        assert (manual / f"man{section}" / f"{page}.{section}").is_file()
        if shutil.which("man"):
            found = run(["man", "-M", manual, "-w", page])
            assert found.stdout.strip() == str(manual / f"man{section}" / f"{page}.{section}"), found


def runs_as_three(prefix, program, *flags):
    said = lines(run([prefix / "bin/launch", "-n", "3", *flags, "--", program]))
    assert len(said) == 3 and all(line.endswith("sum = [6, 6, 6, 6]") for line in said)


def test_a_program_builds_with_cmake_and_runs(prefix, tmp_path, compiler):
    (tmp_path / "CMakeLists.txt").write_text(CONSUMER)
    shutil.copy(EXAMPLE, tmp_path / "main.cpp")
    must("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}",
         f"-DCMAKE_CXX_COMPILER={compiler[0]}", f"-DCMAKE_CXX_FLAGS={' '.join(compiler[1:])}")  # fmt: skip
    must("cmake", "--build", tmp_path / "build")
    runs_as_three(prefix, tmp_path / "build/consumer")


def test_a_program_builds_with_pkg_config_and_runs(prefix, tmp_path, compiler, linking):
    words, library = linking
    must(*compiler, "-std=c++20", EXAMPLE, "-o", tmp_path / "program", *words)
    runs_as_three(prefix, tmp_path / "program", "--env", f"LD_LIBRARY_PATH={library}")


@pytest.mark.parametrize(("page", "count"), [("README.md", 1), ("docs/collectives.md", 4)])
def test_the_examples_of_the_documents_build_and_run(prefix, tmp_path, compilers, linking, page, count):
    words, library = linking
    examples = re.findall(r"^```(cpp|c)\n(.*?)^```$", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) == count
    for number, (language, text) in enumerate(examples):
        source, program = tmp_path / f"{number}.{language}", tmp_path / str(number)
        source.write_text(text if "int main" in text else AROUND % text)
        standard = "-std=c++20" if language == "cpp" else "-std=c11"
        must(*compilers[language], standard, "-Wall", "-Wextra", "-Werror", source, "-o", program, *words)
        ran = run([prefix / "bin/launch", "-n", "3", "--env", f"LD_LIBRARY_PATH={library}", "--", program])
        assert ran.returncode == 0, (text, ran)


def test_the_examples_of_the_tree_do_what_they_say(bin_dir):
    fitted = lines(run([bin_dir / "launch", "-n", "3", "--", bin_dir / "gradients"]))
    assert fitted == [f"rank {rank} of 3: y = 3.00 x + -1.00" for rank in range(3)]
    spread = lines(run([bin_dir / "launch", "-n", "3", "--", bin_dir / "halo"]))
    assert spread == [f"rank {rank} of 3: heat = 1000.000000" for rank in range(3)]


def test_the_schemas_of_distributed_config_are_there(prefix):
    for name in ("distributed-config", "distributed-config-check"):
        schema = json.loads((prefix / "share/jackal" / f"{name}.schema.json").read_text())
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
