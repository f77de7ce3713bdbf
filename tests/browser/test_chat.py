"""The page of web_chat: shown live, resumed without loss or repeat, and deaf to scripts."""

import unittest

from webdriver import Browser, wait
from wire import KEY, Chat, Proxy

HOSTILE = (
    "<script>window.pwned = 1; document.title = 'pwned'</script>"
    "<img src=x onerror='window.pwned = 1'><svg onload='window.pwned = 1'></svg>"
    "<a href='javascript:window.pwned = 1'>more</a></div></article></style>"
)
# The silence after which the page gives up on a connection, made short.
IMPATIENT = """
    const timeout = window.setTimeout;
    window.setTimeout = (call, time) => timeout(call, time === 40000 ? 1500 : time);
"""


class ChatPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.stop)

    def setUp(self):
        self.chat = Chat()
        self.addCleanup(self.chat.stop)
        self.proxy = Proxy(self.chat.port)
        self.addCleanup(self.proxy.stop)
        # Cookies do not tell ports apart.
        self.browser.devtools("Network.clearBrowserCookies")
        self.browser.look(1200, "light")
        self.browser.open(self.proxy.page)
        self.browser.complaints()
        self.wait_for("Connected", "#connection")

    def tearDown(self):
        self.assertEqual(self.browser.value("window.violations"), [])
        self.assertFalse(KEY.encode() in self.proxy.relayed, "the key was given to the browser")
        self.browser.open("about:blank")

    def wait_for(self, text, selector):
        wait(lambda: self.browser.text(selector) == text, f"{selector} says {text!r}")

    def say(self, text):
        self.browser.type("#text", text)
        self.browser.click("#turn button")

    def wait_for_all(self):
        """Waits until the session is idle, and the page has what the ledger has."""
        wait(self.chat.is_idle, "the session is idle")
        count = len(self.chat.ledger())
        wait(lambda: self.browser.count("#ledger li") >= count, f"{count} events are shown")

    def assert_same_as_ledger(self):
        ledger = self.chat.ledger()
        numbers = [str(event["sequence_number"]) for event in ledger]
        script = "return [...document.querySelectorAll('#ledger li')].map((it) => it.dataset.sequence)"
        self.assertEqual(self.browser.run(script), numbers)
        for selector, kind in [
            (".user", "user.message"),
            (".agent", "assistant.message_completed"),
            (".tool", "tool.call_requested"),
        ]:
            count = sum(event["type"] == kind for event in ledger)
            self.assertEqual(self.browser.count(f"#log > {selector}"), count, selector)

    def test_a_turn_is_shown_while_it_happens(self):
        self.say("What is T-1042 about?")
        self.wait_for("What is T-1042 about?", ".user .text")
        self.wait_for("The agent is at work", "#activity")
        self.assertEqual(self.browser.value("document.querySelector('#text').value"), "")
        self.wait_for_all()
        self.assertIn("You wrote:\n\nWhat is T-1042 about?", self.browser.text(".agent .text"))
        self.assertEqual(self.browser.text("#activity"), "")
        outcomes = self.browser.texts(".tool summary")
        self.assertEqual(outcomes, ["lookup_ticketdone", "find_invoicefailed", "bashdone"])
        self.assertIn('"priority":"high"', self.browser.texts(".tool pre")[1])
        self.assert_same_as_ledger()
        self.assertEqual(self.browser.complaints(), [])

    def test_a_reload_shows_the_same_conversation(self):
        self.say("Hello")
        self.wait_for_all()
        self.browser.open(self.proxy.page)
        self.wait_for_all()
        self.assert_same_as_ledger()

    def test_killed_connections_resume_without_loss_or_repeat(self):
        # In the head of an answer, in the middle of an event, after some events, at the very start.
        cuts = [100, 640, 900, 1100, 700, 1, 800]
        self.proxy.cuts = list(cuts)
        self.proxy.cut_all()
        self.say("First")
        self.wait_for_all()
        self.say("Second")
        self.wait_for_all()
        wait(lambda: self.browser.count("#log > .agent") == 2, "both replies are shown")
        wait(lambda: self.proxy.cut >= 4, "four connections were cut")
        self.assertGreater(self.proxy.streams, self.proxy.cut)
        self.assert_same_as_ledger()

    def test_what_happens_while_the_server_is_away_is_shown_when_it_is_back(self):
        self.say("Hello")
        wait(lambda: self.browser.count(".tool") > 0, "a tool is called")
        self.proxy.is_down = True
        self.proxy.cut_all()
        # The browser gives up at an answer that is no stream; the page does not.
        wait(lambda: self.proxy.refused >= 2, "the page tries again")
        self.assertIn("lost", self.browser.text("#connection"))
        wait(self.chat.is_idle, "the session is idle")
        self.proxy.is_down = False
        self.wait_for_all()
        self.wait_for("Connected", "#connection")
        self.assert_same_as_ledger()

    def test_a_connection_that_goes_silent_is_taken_up_again(self):
        watch = self.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=IMPATIENT)
        self.addCleanup(
            self.browser.devtools, "Page.removeScriptToEvaluateOnNewDocument", **watch
        )
        self.browser.open(self.proxy.page)
        self.wait_for("Connected", "#connection")
        self.proxy.is_frozen = True
        self.say("Hello")
        streams = self.proxy.streams
        wait(lambda: self.proxy.streams > streams, "the page connects again")
        self.assertEqual(self.browser.count("#ledger li"), 0)
        self.proxy.is_frozen = False
        self.wait_for_all()
        self.assert_same_as_ledger()

    def test_a_turn_is_sent_once_though_clicked_twice_and_unanswered(self):
        # The browser itself repeats what failed on a connection that it had used before.
        self.proxy.answers_to_lose = 3
        self.browser.type("#text", "Refund it")
        self.browser.run("const it = document.querySelector('#turn button'); it.click(); it.click()")
        wait(lambda: not self.proxy.answers_to_lose, "the answers are lost")
        wait(lambda: self.browser.value("document.querySelector('#text').value") == "", "it is sent")
        self.wait_for_all()
        sent = [event for event in self.chat.ledger() if event["type"] == "user.message"]
        self.assertEqual(len(sent), 1)
        self.assertEqual(self.browser.text("#problem"), "")
        self.assert_same_as_ledger()

    def test_a_turn_that_was_given_up_is_still_sent_once_when_tried_by_hand(self):
        self.proxy.answers_to_lose = 1000
        self.say("Refund it")
        self.wait_for("Not sent. There is no connection.", "#problem")
        self.proxy.answers_to_lose = 0
        self.browser.click("#turn button")
        wait(lambda: self.browser.value("document.querySelector('#text').value") == "", "it is sent")
        self.wait_for_all()
        sent = [event for event in self.chat.ledger() if event["type"] == "user.message"]
        self.assertEqual(len(sent), 1)

    def test_a_script_in_a_message_does_not_run(self):
        self.say(HOSTILE)
        self.wait_for_all()
        self.wait_for(HOSTILE, ".user .text")
        self.assertIn(HOSTILE, self.browser.text(".agent .text"))
        self.assertIsNone(self.browser.value("window.pwned"))
        self.assertEqual(self.browser.value("document.title"), "Conversation")
        self.assertEqual(self.browser.count("#log :is(script, img, svg, a, [onerror])"), 0)
        self.assertEqual(self.browser.complaints(), [])

    def test_a_failed_turn_says_so(self):
        self.say("fail")
        self.wait_for_all()
        self.wait_for("The agent could not finish this turn.", ".failure")
        self.assertEqual(self.browser.text("#activity"), "")

    def test_another_visitor_has_a_conversation_of_its_own(self):
        self.say("My card number is 4711")
        self.wait_for_all()
        [mine] = self.chat.sessions()
        self.browser.devtools("Network.clearBrowserCookies")
        self.browser.open(self.proxy.page)
        self.wait_for("Connected", "#connection")
        self.say("Who are you?")
        [other] = set(self.chat.sessions()) - {mine}
        wait(lambda: self.browser.count(".agent") == 1, "the reply is shown")
        self.assertNotIn("4711", self.browser.text("body"))
        self.assertTrue(self.chat.ledger(other))

    def test_a_visitor_nobody_knows_is_told_to_load_the_page(self):
        self.browser.devtools("Network.clearBrowserCookies")
        self.proxy.cut_all()
        told = "This conversation is not known any more. Load the page again."
        self.wait_for(told, "#connection")
        self.say("Hello")
        self.wait_for("Not sent. Load the page first.", "#problem")

    def test_a_page_that_is_left_leaves_no_stream(self):
        self.say("Hello")
        self.wait_for_all()
        self.browser.run("window.more = [1, 2, 3, 4].map(() => new EventSource('/events'))")
        wait(lambda: self.chat.streams() >= 5, "five streams are open")
        self.browser.open("about:blank")
        # A connection or two are kept for the next call; those of streams are not.
        wait(lambda: self.chat.streams() <= 2, "the streams are closed")
        self.browser.open(self.proxy.page)

    def test_it_fits_every_window(self):
        self.say("What is T-1042 about? " + "Donaudampfschifffahrtsgesellschaft" * 9)
        wait(lambda: self.browser.count(".tool") == 2, "two tools are called")
        self.browser.picture("chat-working")
        self.wait_for_all()
        self.browser.run("document.querySelector('.tool').open = true")
        for width in [1200, 390, 360]:
            for scheme in ["light", "dark"]:
                self.browser.look(width, scheme)
                self.assertLessEqual(self.browser.overflow(), 0, width)
                self.browser.picture(f"chat-{width}-{scheme}", whole=False)
        self.say("fail")
        self.wait_for_all()
        self.browser.run("document.querySelector('footer details').open = true")
        self.browser.picture("chat-failed", whole=False)
