using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Data.Tests;

public sealed class PreferenceFileTests
{
    private static readonly ChatMessage[] Asked = [ChatMessage.User("q"), ChatMessage.Assistant("a"), ChatMessage.User("r")];

    [TestCase("""{"instruction":"q","input":"i","chosen":"good","rejected":"bad"}""", typeof(InstructionExample))]
    [TestCase("""{"prompt":"q","chosen":"good","rejected":"bad"}""", typeof(CompletionExample))]
    [TestCase("""{"prompt":"q","system":"s","chosen":"good","rejected":"bad"}""", typeof(ConversationExample))]
    [TestCase("""{"question":"q","system":"s","chosen":"good","rejected":"bad"}""", typeof(ConversationExample))]
    [TestCase("""{"chosen":"\n\nHuman: q\n\nAssistant: good","rejected":"\n\nHuman: q\n\nAssistant: bad"}""",
        typeof(ConversationExample))]
    [TestCase("""{"prompt":"\n\nHuman: q\n\nAssistant: a\n\nHuman: r","chosen":"good","rejected":"bad"}""",
        typeof(ConversationExample))]
    [TestCase("""
        {"prompt":"q","chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"good"}],
        "rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"bad"}]}
        """, typeof(ConversationExample))]
    [TestCase("""
        {"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"good"}],
        "rejected":[{"role":"assistant","content":"bad"}]}
        """, typeof(ConversationExample))]
    [TestCase("""
        {"conversations":[{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"good"},
        "rejected":{"from":"gpt","value":"bad"}}
        """, typeof(ConversationExample))]
    public void A_pair_is_read_in_every_form(string line, Type form)
    {
        var file = Read(line.ReplaceLineEndings(" "));
        var row = file.Rows.Single();
        Assert.Multiple(() =>
        {
            Assert.That(row.Chosen, Is.InstanceOf(form));
            Assert.That(row.Rejected, Is.InstanceOf(form));
            Assert.That((row.ChosenAnswer, row.RejectedAnswer), Is.EqualTo(("good", "bad")));
            Assert.That(row.Chosen!.Question, Does.StartWith("q").And.EqualTo(row.Rejected!.Question));
            Assert.That(row.Id, Is.EqualTo("rows.jsonl#1"));
        });
    }

    [TestCase("""{"prompt":"q","completion":"a","label":true}""", true)]
    [TestCase("""{"instruction":"q","output":"a","label":"False"}""", false)]
    [TestCase("""{"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"a"}],"label":0}""",
        false)]
    [TestCase("""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"label":true}""", true)]
    public void A_labeled_answer_is_read_in_every_form(string line, bool wanted)
    {
        var row = Read(line).Rows.Single();
        Assert.Multiple(() =>
        {
            Assert.That(row.IsPair, Is.False);
            Assert.That(row.Chosen is not null, Is.EqualTo(wanted));
            Assert.That(row.ChosenAnswer ?? row.RejectedAnswer, Is.EqualTo("a"));
            Assert.That((row.Chosen ?? row.Rejected)!.Question, Is.EqualTo("q"));
        });
    }

    [Test]
    public void A_shared_beginning_is_the_prompt()
    {
        const string Start = "\\n\\nHuman: q\\n\\nAssistant: a\\n\\nHuman: r\\n\\nAssistant:";
        var row = Read($$"""{"chosen":"{{Start}} good","rejected":"{{Start}} bad"}""").Rows.Single();
        Assert.That(((ConversationExample)row.Chosen!).Messages, Is.EqualTo([.. Asked, ChatMessage.Assistant("good")]));
        Assert.That(((ConversationExample)row.Rejected!).Messages, Is.EqualTo([.. Asked, ChatMessage.Assistant("bad")]));
    }

    [Test]
    public void What_cannot_be_learned_from_is_counted_by_its_reason()
    {
        var file = Read(
            """{"instruction":"q","chosen":"a","rejected":"b","score":1}""",
            """{"instruction":"q","chosen":"same","rejected":"same"}""",
            """{"instruction":"q","chosen":"a","rejected":" "}""",
            """{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: other\n\nAssistant: b"}""",
            """{"chosen":"\n\nHuman: q\n\nHuman: r","rejected":"\n\nHuman: q\n\nAssistant: b"}""");
        Assert.That(file.Rows, Has.Count.EqualTo(1));
        Assert.That(file.Skipped, Is.EqualTo(new[]
        {
            ("rows.jsonl#2", PreferenceSkip.EqualAnswers), ("rows.jsonl#3", PreferenceSkip.EmptyAnswer),
            ("rows.jsonl#4", PreferenceSkip.PromptsDiffer), ("rows.jsonl#5", PreferenceSkip.TurnsOutOfOrder),
        }));
        Assert.That(string.Join("\n", file.Lines()), Does.Contain("1 row left out, their two answers are the same")
            .And.Contain("fields not used: score (1 row)"));
    }

    [TestCase("""{"chosen":"a","rejected":"b"}""", "has no prompt")]
    [TestCase("""{"prompt":"q","chosen":"a"}""", "has neither")]
    [TestCase("""{"prompt":"q","completion":"a","label":"perhaps"}""", "expected true or false")]
    [TestCase("""{"prompt":"q","chosen":3,"rejected":"b"}""", "chosen: is the number 3, expected text")]
    [TestCase("""{"messages":[{"role":"judge","content":"q"}],"label":true}""", "the role \"judge\" is unknown")]
    public void A_malformed_row_is_named_with_its_line(string line, string reason)
    {
        var error = Assert.Throws<SafeLlamaException>(() => Read("""{"prompt":"q","chosen":"a","rejected":"b"}""", line))!;
        Assert.That(error.Code, Is.EqualTo(ExitCode.InvalidData));
        Assert.That(error.Message, Does.Contain("rows.jsonl:2").And.Contain(reason));
    }

    /// <summary>2,312 pairs of people's own choices, of which a few are no pairs.</summary>
    [Test]
    public void Real_pairs_are_read()
    {
        var file = PreferenceFile.ReadAll([TestFiles.Data("hh-rlhf/harmless-base_test.jsonl.gz")]).Single();
        Assert.That(file.Rows.Count + file.Skipped.Count, Is.EqualTo(file.RowCount));
        Assert.That(file.Rows.Count, Is.GreaterThan(0.98 * file.RowCount));
        Assert.That(file.Rows, Has.All.Matches<PreferenceRow>(r => r!.IsPair && r.ChosenAnswer != r.RejectedAnswer));
    }

    private static PreferenceFile Read(params string[] lines)
    {
        var path = Path.Combine(TestFiles.NewFolder(), "rows.jsonl");
        File.WriteAllLines(path, lines);
        return PreferenceFile.ReadAll([path]).Single();
    }
}
