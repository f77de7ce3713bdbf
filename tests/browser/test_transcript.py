"""The page of transcript_html: complete, self-contained, and deaf to scripts."""

import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from webdriver import Browser
from wire import EXAMPLES


class TranscriptPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="dari-transcript-")
        cls.addClassCleanup(folder.cleanup)
        cls.file = Path(folder.name) / "transcript.html"
        command = [EXAMPLES / "transcript_html", cls.file]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=60)
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.stop)

    def open(self, file):
        self.browser.complaints()
        self.browser.look(1200, "light")
        self.browser.open(file.as_uri())

    def assert_nothing_ran(self):
        self.assertIsNone(self.browser.value("window.pwned"))
        self.assertEqual(self.browser.value("document.title"), "Ticket T-1042")
        self.assertEqual(self.browser.count("script, img, svg, iframe, link, base, a, style ~ style"), 0)
        attributes = "[...document.querySelectorAll('*')].flatMap((it) => it.getAttributeNames())"
        names = set(self.browser.value(attributes))
        self.assertFalse([name for name in names if name.startswith("on") or name in ("src", "style")])

    def test_all_of_the_conversation_is_there(self):
        self.open(self.file)
        self.assertEqual(self.browser.text("h1"), "Ticket T-1042")
        self.assertEqual(self.browser.count("article.user"), 3)
        self.assertEqual(self.browser.count("article.agent"), 3)
        self.assertEqual(self.browser.count("details.tool"), 4)
        self.assertIn("charged twice", self.browser.text("article.agent"))
        self.assertIn("select id, amount from charges\n", self.browser.text("article.agent pre"))
        self.assertIn("The model is overloaded <b>now</b>.", self.browser.text(".failed .error"))
        self.assertGreaterEqual(self.browser.count("time[datetime]"), 10)

    def test_a_tool_call_opens_to_its_arguments_and_result(self):
        self.open(self.file)
        self.assertNotIn("arguments", self.browser.text("body").lower())
        self.browser.click("details.tool summary")
        shown = self.browser.text("details.tool")
        self.assertIn('{\n  "ticket_id": "T-1042"\n}', shown)
        self.assertIn('    "tier": "enterprise"\n  },', shown)

    def test_a_script_in_a_message_does_not_run(self):
        self.open(self.file)
        self.assert_nothing_ran()
        hostile = self.browser.texts("article.user .prose")[1]
        self.assertIn("<script>window.pwned = 1; document.title = 'pwned'</script>", hostile)
        self.assertIn("the file is [U+202E]txt.exe[U+202C], [U+0000] stands for nothing, [U+001B][31mred", hostile)
        self.assertEqual(self.browser.value("window.violations"), [])
        self.assertEqual(self.browser.complaints(), [])

    def test_it_would_not_run_without_the_policy_either(self):
        page = self.file.read_text(encoding="utf-8")
        bare, policies = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
        self.assertEqual(policies, 1)
        file = self.file.with_name("bare.html")
        file.write_text(bare, encoding="utf-8")
        self.open(file)
        self.assert_nothing_ran()

    def test_the_policy_forbids_what_would_be_added(self):
        page = self.file.read_text(encoding="utf-8")
        file = self.file.with_name("injected.html")
        added = "<script>window.pwned = 1</script><style>h1 { display: none }</style></main>"
        file.write_text(page.replace("</main>", added), encoding="utf-8")
        self.open(file)
        self.assertIsNone(self.browser.value("window.pwned"))
        self.assertEqual(self.browser.text("h1"), "Ticket T-1042")
        self.assertEqual(len(self.browser.value("window.violations")), 2)

    def test_it_loads_nothing_and_its_style_applies(self):
        self.open(self.file)
        self.assertEqual(self.browser.value("performance.getEntriesByType('resource').length"), 0)
        style = "getComputedStyle(document.body)"
        light = self.browser.value(f"{style}.backgroundColor")
        self.browser.look(1200, "dark")
        self.assertNotEqual(self.browser.value(f"{style}.backgroundColor"), light)
        self.assertEqual(self.browser.value(f"{style}.overflowWrap"), "anywhere")

    def test_it_fits_every_window_and_paper(self):
        self.open(self.file)
        for width in [1200, 390, 360]:
            for scheme in ["light", "dark"]:
                self.browser.look(width, scheme)
                self.browser.run("document.querySelector('details.tool').open = true")
                self.assertLessEqual(self.browser.overflow(), 0, width)
                self.browser.picture(f"transcript-{width}-{scheme}")
        self.browser.run("document.querySelector('details.tool').open = false")
        self.browser.look(760, "dark", media="print")
        self.browser.picture("transcript-print")
        closed = "document.querySelectorAll('details.tool pre')[3].getBoundingClientRect().height"
        self.assertGreater(self.browser.value(closed), 0, "a closed call is printed")
