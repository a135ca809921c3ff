"""What holds for every test, and for the kernels that run the notebooks."""

import os

os.environ["GAN_TEACH_PROGRESS"] = "off"        # nobody's progress is kept, or lost, by a test
os.environ["GAN_TEACH_LANG"] = "en"             # tests read English, whatever the language of who runs them
