"""--cwd on this machine."""

import os
import subprocess
import tempfile

import pytest

NOBODY = 65534


def test_a_directory_that_may_not_be_entered_is_a_failure(bin_dir):
    # Root may enter everything, so that it is somebody else who tries.
    who = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    with tempfile.TemporaryDirectory() as closed:
        os.chmod(closed, 0)
        words = [bin_dir / "launch", "--cwd", closed, "--", "pwd"]
        try:
            result = subprocess.run(
                words, cwd="/", text=True, capture_output=True, timeout=60, check=False, **who
            )
        except PermissionError:
            pytest.skip("nobody may not run what was built here")
        finally:
            os.chmod(closed, 0o700)
    assert (result.returncode, result.stdout) == (126, "")
    assert f"cannot change to the directory {closed}" in result.stderr
