using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Testing;

namespace SafeLlama.Evaluation.Tests;

[TestFixture]
public sealed class SuiteFileTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = TestFiles.NewFolder();

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Our_own_format_keeps_every_field()
    {
        var suite = Open("own.jsonl", """
            {"id":"a","prompt":"May I?","label":"safe","category":"c","twin":"b","origin":"o","group":"g","context":"x"}
            {"id":"b","prompt":"Do it.","label":"contrast","format":"opinion"}
            """);
        var a = suite.Prompts[0];
        Assert.That((a.Label, a.Format, a.Category, a.Twin, a.Origin, a.Group, a.Context), Is.EqualTo(
            (PromptLabel.Safe, PromptFormat.Question, "c", "own/b", "o", "g", "x")));
        Assert.That(suite.Prompts[1].Format, Is.EqualTo(PromptFormat.Opinion));
        Assert.That(suite.Notes, Is.Empty);
    }

    [Test]
    public void A_prompt_may_go_on_a_conversation()
    {
        var suite = Open("own.jsonl", """
            {"prompt":"And now?","label":"unsafe","before":[{"role":"user","content":"Hi."},{"role":"assistant","content":"Hello."}]}
            {"prompt":"And now?","label":"unsafe"}
            """);
        Assert.That(suite.Prompts[0].Before!.Select(turn => turn.Content), Is.EqualTo(["Hi.", "Hello."]));
        Assert.That(suite.Prompts[0].Row(), Is.InstanceOf<ConversationExample>());
        Assert.That(suite.Prompts[0].Row("Other?").Question, Is.EqualTo("Hi.\n\nOther?"));
        Assert.That(suite.Prompts[1].Before, Is.Null);
        Assert.That(suite.Notes, Is.Empty, "one text after other turns is another prompt");
    }

    [Test]
    public void Without_an_id_a_prompt_has_the_number_of_its_row()
    {
        var suite = Open("own.jsonl", """
            {"prompt":"May I?","label":"safe"}
            {"id":"b","prompt":"Do it.","label":"contrast"}
            {"prompt":"Do it.","label":"unsafe"}
            """);
        Assert.That(suite.Prompts.Select(p => p.Id), Is.EqualTo(["1", "b", "3"]));
        Assert.That(suite.Prompts.Select(p => p.Label), Is.EqualTo(
            [PromptLabel.Safe, PromptLabel.Contrast, PromptLabel.Unsafe]));
    }

    [TestCase("own.jsonl", """{"prompt":"x","label":"dangerous"}""", "dangerous")]
    [TestCase("own.jsonl", """
        {"prompt":"x","label":"safe"}
        {"id":"1","prompt":"y","label":"safe"}
        """, "own/1 was already given on line 1")]
    [TestCase("own.jsonl", """
        {"prompt":"x","label":"safe"}
        {"prompt":"y","lable":"safe"}
        """, ":2: \"label\" is missing or empty")]
    [TestCase("own.jsonl", """
        {"prompt":"x","label":"safe"}
        {"prompt":"y","label":null}
        """, ":2: \"label\" is missing or empty")]
    [TestCase("own.jsonl", """{"id":"a","prompt":"x","label":"dangerous"}""", "dangerous")]
    [TestCase("own.jsonl", """{"id":"a","prompt":"  ","label":"safe"}""", "missing or blank")]
    [TestCase("own.jsonl", """{"id":"a","prompt":["x"],"label":"safe"}""", "array")]
    [TestCase("own.jsonl", """{"prompt":"x","label":"safe","before":"Hi."}""", "\"before\": is no list of turns")]
    [TestCase("own.jsonl", """{"prompt":"x","label":"safe","before":[{"role":"user","content":"Hi."}]}""",
        "\"before\": ends with the user")]
    [TestCase("own.jsonl", """{"prompt":"x","label":"safe","before":[{"role":"assistant","content":"Hi."}]}""",
        "turn 1 is the assistant's")]
    [TestCase("own.jsonl", """{"prompt":"x","label":"safe","before":[{"role":"user","content":" "}]}""",
        "a text that is not blank")]
    [TestCase("own.jsonl", """{"prompt":"x","label":"safe","before":[{"role":"system","content":"Hi."}]}""",
        "turn 1 needs \"role\", user or assistant")]
    [TestCase("own.jsonl", """{"name":"a","text2":"x"}""", "no known suite")]
    [TestCase("own.jsonl", """{"id":"a","text":"May I?","label":"safe"}""", "has id, text, label")]
    [TestCase("own.jsonl", """{"instruction":"May I?","label":"Benign"}""", "has instruction, label")]
    [TestCase("own.jsonl", """{"id":"a","prompt":"\ud800","label":"safe"}""", "surrogate")]
    [TestCase("xs.csv", "id,prompt,type,label,focus\n1,p,t,maybe,f\n", "maybe")]
    [TestCase("one-line.json", """
        [{"prompt":"x","label":"safe"},{"promt":"y","label":"safe"}]
        """, ":1, row 2: \"prompt\"")]
    [TestCase("one-line.json", """
        [{"id":"a","prompt":"x","label":"safe"},{"id":"a","prompt":"y","label":"safe"}]
        """, ":1, row 2: the id one-line/a was already given on line 1, row 1")]
    [TestCase("a.json", """{"instructions":["x"],"tags":["a","b"],"inputs":[]}""", "tags")]
    [TestCase("a.json", """{"instructions":[""],"inputs":[]}""", "missing or blank")]
    public void A_bad_file_is_refused_with_its_place(string name, string content, string expected)
    {
        var error = Assert.Throws<SafeLlamaException>(() => Open(name, content))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message, Does.Contain(name).And.Contain(expected));
    }

    [Test]
    public void An_id_given_twice_is_refused() =>
        Assert.That(
            () => Open("own.jsonl", """
                {"id":"a","prompt":"x","label":"safe"}
                {"id":"a","prompt":"y","label":"safe"}
                """),
            Throws.InstanceOf<SafeLlamaException>().With.Message.Contains("own.jsonl:2: the id own/a"));

    [Test]
    public void What_is_assumed_of_an_unknown_file_is_said() =>
        Assert.That(Open("mine.txt", "one\ntwo\n").Notes, Has.One.Contains("taken to be unsafe"));

    [Test]
    public void Special_tokens_in_a_prompt_stay_text()
    {
        var suite = Open("own.jsonl", """{"id":"a","prompt":"</s> [INST] <|eot_id|>","label":"unsafe"}""");
        Assert.That(suite.Prompts[0].Text, Is.EqualTo("</s> [INST] <|eot_id|>"));
    }

    [TestCase("own.jsonl", """{"id":"a","prompt":"\ud83d\ude00 x","label":"safe","twin":"b"}""")]
    [TestCase("cols.json", """{"instructions":["x","y"],"tags":["a","b"],"inputs":[]}""")]
    [TestCase("xs.csv",
        "id,prompt,type,label,focus,note\r\n1,\"p\nq\",homonyms,safe,kill,\r\n2,r,contrast_homonyms,unsafe,kill,\r\n")]
    [TestCase("answers.jsonl", """{"prompt":"p","response":"r","label":"1","id":3}""")]
    [Category("Fault")]
    public void A_damaged_file_is_refused_in_our_own_words_or_read(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        var whole = System.Text.Encoding.UTF8.GetBytes(content);
        var random = new Random(7);
        for (var round = 0; round < 400; round++)
        {
            var bytes = whole[..random.Next(1, whole.Length + 1)];
            for (var flips = random.Next(4); flips > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            File.WriteAllBytes(path, bytes);
            foreach (var read in (Action[])[() => SuiteRegistry.Open(path), () => ResponseImport.Read(path, []),
                () => LabeledAnswers.Read(path)])
            {
                try
                {
                    read();
                }
                catch (SafeLlamaException)
                {
                    // Refused in one line: as it should be. Any other exception fails the test.
                }
            }
        }
    }

    private PromptSuite Open(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return SuiteRegistry.Open(path);
    }
}
