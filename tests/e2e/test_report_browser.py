#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTML report in a real browser: no console error, every figure visible, phone, dark mode, print."""
import base64
import os
import shutil
import subprocess
import sys
import tempfile

SYSTEM_PYTHON = "/usr/bin/python3"
try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
except ImportError:
    # Debian's selenium belongs to Debian's Python, which may not be the one that runs the tests.
    if os.path.realpath(sys.executable) != os.path.realpath(SYSTEM_PYTHON) and os.path.exists(SYSTEM_PYTHON):
        os.execv(SYSTEM_PYTHON, [SYSTEM_PYTHON] + sys.argv)
    print("SKIP: no selenium (Debian package python3-selenium)")
    sys.exit(77)

binary = os.path.abspath(sys.argv[1])
source = os.environ["DMASIM_SOURCE"]
chromium, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
if not chromium or not driver_path:
    print("SKIP: no browser (Debian packages chromium chromium-driver)")
    sys.exit(77)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stderr}"


def browser(profile):
    options = Options()
    options.binary_location = chromium
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-dev-shm-usage", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=Service(driver_path), options=options)


def check_page(driver, width):
    """Every figure lies inside the page, has a size, and has drawn something."""
    boxes = driver.execute_script(
        "return [...document.querySelectorAll('figure')].map(f => { const b = f.querySelector('svg')"
        ".getBoundingClientRect(); return [f.id, b.width, b.height, b.right, f.querySelectorAll('svg path, svg rect,"
        " svg text').length]; })")
    assert len(boxes) >= 2, boxes
    for name, w, h, right, shapes in boxes:
        assert w > 200 and h > 100 and right <= width + 1 and shapes > 10, (name, w, h, right, shapes)
    overflow = driver.execute_script("return document.documentElement.scrollWidth")
    assert overflow <= width, f"the page is {overflow} px wide on a {width} px screen"


with tempfile.TemporaryDirectory() as tmp:
    result, page = os.path.join(tmp, "result"), os.path.join(tmp, "report.html")
    trace = os.path.join(source, "scenarios/data/nvme-mixed.trace.txt.zst")
    run(binary, "replay", trace, "-q", "-o", result)
    run(binary, "report", result, "-o", page)
    text = open(page).read()
    for outside in ("http://", "https://"):
        uses = [u for u in text.split(outside)[1:] if not u.startswith(("www.w3.org/", "www.gnuplot.info"))]
        assert not uses, f"refers to the network: {outside}{uses[0][:60]}"

    driver = browser(os.path.join(tmp, "profile"))
    try:
        driver.set_window_size(1280, 900)
        driver.get("file://" + page)
        check_page(driver, 1280)
        ids = driver.execute_script("return [...document.querySelectorAll('[id]')].map(e => e.id)")
        assert len(ids) == len(set(ids)), "an id stands twice"
        data = driver.execute_script("return JSON.parse(document.getElementById('dmasim-result').textContent)")
        assert data["schema"] == "dmasim-result" and len(data["runs"]) == 6

        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                               {"width": 375, "height": 800, "deviceScaleFactor": 2, "mobile": True})
        check_page(driver, 375)
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

        colour = "return getComputedStyle(document.body).backgroundColor"
        light = driver.execute_script(colour)
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia",
                               {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
        dark = driver.execute_script(colour)
        assert light != dark, f"dark mode changes nothing: {light}"

        pdf = base64.b64decode(driver.print_page())
        assert pdf.startswith(b"%PDF") and len(pdf) > 20000, len(pdf)
        errors = [e for e in driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]
        assert not errors, errors
    finally:
        driver.quit()
print("1 passed, 0 failed")
