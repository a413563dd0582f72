using System.Text;

namespace SafeLlama.Common.Tests;

public sealed class JsonRecordTests
{
    private const string Good = """{"name": "n", "seed": 1, "share": 0.5, "parts": [{"count": 1}]}""";

    private sealed record Part(int Count);

    private sealed record Made(string Name, long Seed, double Share, IReadOnlyList<Part> Parts);

    [Test]
    public void What_was_written_is_read() => Assert.That(Read(Good).Parts.Single().Count, Is.EqualTo(1));

    [TestCase("1}", "two}", "run.json:1: is no run: what stands at byte ", TestName = "Broken_text_names_its_byte")]
    [TestCase("\"seed\": 1", "\"seed\": \"one\"", "run.json:1: is no run: \"seed\" is not a whole number.")]
    [TestCase("\"seed\": 1", "\n\"seed\": {}", "run.json:2: is no run: \"seed\" is not a whole number.")]
    [TestCase("0.5", "[]", "\"share\" is not a number.")]
    [TestCase("\"n\"", "5", "\"name\" is not a text.")]
    [TestCase("\"n\"", "null", "is empty (null), expected a value.")]
    [TestCase("\"count\": 1", "\"count\": true", "\"parts[0].count\" is not a whole number.")]
    [TestCase("\"name\": \"n\", ", "", "it lacks \"name\".")]
    [TestCase("[{\"count\": 1}]", "3", "\"parts\" is not a list.")]
    public void A_changed_record_is_one_line_with_place_and_field(string was, string becomes, string message)
    {
        var fault = Assert.Throws<SafeLlamaException>(() => Read(Good.Replace(was, becomes)))!;
        Assert.That(fault.Message, Does.Contain(message).And.Not.Contain("System.").And.Not.Contain("Path:")
            .And.Not.Contain("\n").And.EndWith(" Make it again."));
        Assert.That(fault.Code, Is.EqualTo(ExitCode.InvalidData));
    }

    [Test]
    public void A_line_of_a_file_is_named_by_its_number() => Assert.That(
        () => JsonRecord.Parse<Part>("{}"u8, "rows.jsonl", "is no part", line: 7),
        Throws.InstanceOf<SafeLlamaException>().With.Message.EqualTo("rows.jsonl:7: is no part: it lacks \"count\"."));

    private static Made Read(string text) => JsonRecord.Parse<Made>(
        Encoding.UTF8.GetBytes(text), "run.json", "is no run", then: "Make it again.");
}
