"""What holds for every test, and for the kernels that run the notebooks."""

import os

import pytest

os.environ["GAN_TEACH_PROGRESS"] = "off"        # nobody's progress is kept, or lost, by a test
os.environ["GAN_TEACH_LANG"] = "en"             # tests read English, whatever the language of who runs them

if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):      # they share the cores, and so do their kernels
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")                 # a thread that waits must not spin

# Files that take longest, in this order: whichever comes last, no worker waits long for it. All others follow.
LONG = ("tests/site/test_site.py", "tests/widgets/test_stage.py", "tests/widgets/test_browser.py",
        "tests/test_colab.py", "tests/training/test_training.py", "tests/site/test_page_plane.py",
        "notebooks/01b_gan_dissection_further.ipynb", "notebooks/04_capstone.ipynb",
        "notebooks/01_gan_dissection.ipynb", "notebooks/03_evolutionary_gan.ipynb",
        "tests/widgets/test_every_panel.py", "tests/test_start.py", "notebooks/02b_stylegan_further.ipynb",
        "tests/lessons/test_catch_up.py", "notebooks/02_stylegan.ipynb",
        "notebooks/03b_evolutionary_gan_further.ipynb", "tests/recipes/test_sharing.py", "notebooks/00_warm_up.ipynb",
        "tests/recipes/test_evolving.py", "tests/dissection/test_report.py")


@pytest.fixture
def spoken():
    """Chinese, and English again afterwards."""
    from gan_teach import language

    language.use("zh")
    yield
    language.use("en")


def pytest_addoption(parser):
    parser.addoption("--whole", action="store_true", help="run the notebooks as they are, not made small")
    parser.addoption("--colab", action="store_true", help="run every chapter by Colab's kernel, not a few of them")
    parser.addoption("--screenshots", metavar="DIR", help="keep a picture of every panel that a browser test opens")


def pytest_configure(config):
    if folder := config.getoption("--screenshots"):
        os.environ["GAN_TEACH_SCREENSHOTS"] = os.path.abspath(folder)


def pytest_terminal_summary(terminalreporter):
    """What tests measured and noted with `record_property`, in whichever process: shown, not judged."""
    noted = [(name, value) for report in terminalreporter.stats.get("passed", [])
             for name, value in getattr(report, "user_properties", ())]
    if noted:
        terminalreporter.section("measured")
    for name, value in noted:
        terminalreporter.line(f"{name}: {value}")


def pytest_collection_modifyitems(config, items):
    cells = [item for item in items if hasattr(item, "cell")]
    if cells and not config.getoption("--whole"):
        from small import shorten
        shorten(cells)
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.nodeid.split("::")[0], len(LONG)))
