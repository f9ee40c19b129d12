"""--report in a real browser: on a phone, on paper, in the dark."""

import html
import re
import shutil
import subprocess

import pytest

# The browser has no window narrower than 500 pixels, so the phone is a frame inside one.
PHONE = """<!doctype html><body style="margin:0"><iframe id="phone" style="width:390px;height:3000px;border:0"
srcdoc="{page}"></iframe><script>
phone.onload = () => {{
  const page = phone.contentDocument, width = phone.contentWindow.innerWidth;
  document.body.dataset.width = width;
  document.body.dataset.scroll = page.documentElement.scrollWidth;
  document.body.dataset.outside = [...page.body.querySelectorAll('*')]
    .filter(e => e.getBoundingClientRect().right > width + 1).map(e => e.tagName + ' ' + e.textContent).join('|');
  document.body.dataset.drawings = page.querySelectorAll('figure svg rect').length;
  document.body.dataset.scripts = page.querySelectorAll('script, img, iframe, link').length;
}}
</script>"""


@pytest.fixture
def browser(tmp_path):
    """browser(*flags) → what Chromium printed."""
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("no chromium: scripts/setup installs Debian's")

    def start(*flags):
        argv = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
                "--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}", *map(str, flags)]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return start


@pytest.fixture
def report(config, scenarios, tmp_path):
    """report(scenario) → the path of its page."""

    def make(name):
        scenario = next(each for each in scenarios if each["name"] == name)
        path = tmp_path / "report.html"
        result = config("--from-probes", scenario["probes"], *scenario["arguments"], "--report", path)
        assert result.returncode == scenario["exit"]
        assert f"report    {path}" in result.stdout
        return path

    return make


@pytest.mark.parametrize(
    "name", ["a mesh before it is set up", "bridges that close a loop", "a ring of eight that is set up",
             "names that are markup", "sudo with a password"]  # fmt: skip
)
def test_a_phone_shows_it_without_scrolling_sideways(report, browser, tmp_path, name):
    page = report(name).read_text()
    phone = tmp_path / "phone.html"
    phone.write_text(PHONE.format(page=html.escape(page)))
    dom = browser("--window-size=500,3000", "--dump-dom", phone.as_uri())
    seen = dict(re.findall(r' data-(width|scroll|outside|drawings|scripts)="([^"]*)"', dom[: dom.index("<iframe")]))
    assert seen["width"] == "390"
    assert int(seen["scroll"]) <= 390
    assert seen["outside"] == ""
    assert int(seen["drawings"]) == page.count('<rect class="machine"') >= 2
    assert seen["scripts"] == "0"


def test_it_prints(report, browser, tmp_path):
    pdf = tmp_path / "report.pdf"
    browser(f"--print-to-pdf={pdf}", "--no-pdf-header-footer", report("a chain of three").as_uri())
    assert pdf.read_bytes().startswith(b"%PDF-")
    assert pdf.stat().st_size > 10_000


def test_it_is_dark_where_the_reader_is(report, browser, tmp_path):
    page = report("bridges that close a loop").as_uri()
    shots = []
    for name, flags in {"light": [], "dark": ["--blink-settings=preferredColorScheme=0"]}.items():
        shots.append(tmp_path / f"{name}.png")
        browser("--window-size=900,1400", f"--screenshot={shots[-1]}", *flags, page)
        assert shots[-1].read_bytes().startswith(b"\x89PNG")
    assert shots[0].read_bytes() != shots[1].read_bytes()
