using System.Text.Json.Nodes;
using SafeLlama.Common;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>Prompts from text files take the way that every other data file takes.</summary>
[NonParallelizable]
public sealed class TextPromptTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        Assert.That(_model.Train().ExitCode, Is.Zero);
    }

    public void Dispose() => _model.Dispose();

    [TestCase("latin1.txt", "latin1.txt:1: byte 0xE9 at column 8 is not UTF-8")]
    [TestCase("latin1.txt.gz", "latin1.txt.gz:1: byte 0xE9 at column 8 is not UTF-8")]
    [TestCase("latin1.jsonl", "byte 0xE9")]
    [TestCase("utf16.txt", "is UTF-16 (by its byte order mark), expected UTF-8")]
    [TestCase("empty.txt", "holds no rows")]
    public void What_is_no_UTF_8_is_refused_with_its_place(string file, string message) =>
        Refuses(message, Generate(file));

    [TestCase("text-latin1.txt", "byte 0xE9 at column 8 is not UTF-8")]
    public void So_is_a_text_to_score(string file, string message) =>
        Refuses(message, "score", "--model", _model.Model, "--file", Fault(file), "--threads", "1");

    [Test]
    public void A_byte_order_mark_is_passed_over_and_told()
    {
        var run = Door.Run(Generate("bom.txt"));
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(Prompts(run), Is.EqualTo(new[] { "the knife is" }));
        Assert.That(run.Error, Does.Contain("byte order mark"));
    }

    [TestCase("spaces.txt")]
    [TestCase("spaces.txt.gz")]
    public void Raw_prompts_keep_their_spaces(string file)
    {
        var raw = Door.Run([.. Generate(file), "--raw"]);
        var templated = Door.Run(Generate(file));
        Assert.Multiple(() =>
        {
            Assert.That(Prompts(raw), Is.EqualTo(new[] { "  the knife is  ", "the knife is" }), raw.Error);
            Assert.That(Prompts(templated), Is.EqualTo(new[] { "the knife is", "the knife is" }), templated.Error);
        });
    }

    [Test]
    public void Blank_lines_are_no_prompts_and_rows_are_named_by_their_line()
    {
        var run = Door.Run(Generate("blank.txt"));
        Assert.That(
            Lines(run).Select(row => row["id"]!.GetValue<string>()), Is.EqualTo(new[] { "blank.txt:4", "blank.txt:6" }),
            run.Error);
    }

    /// <summary>Data faults come one a line, then how many there are in all.</summary>
    private static void Refuses(string message, params string[] arguments)
    {
        var run = Door.Run(arguments);
        Assert.Multiple(() =>
        {
            Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.InvalidData), run.Error);
            Assert.That(run.Output, Is.Empty);
            Assert.That(run.Error, Does.Contain(message).And.Not.Contain("\uFFFD"));
        });
    }

    private static string Fault(string file) => TestFiles.Fault(Path.Combine("train", "text-prompts", file));

    private static IEnumerable<JsonNode> Lines(CommandRun run) =>
        run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!);

    private static IEnumerable<string> Prompts(CommandRun run) =>
        Lines(run).Select(row => row["prompt"]!.GetValue<string>());

    private string[] Generate(string file) =>
    [
        "generate", "--model", _model.Model, "--prompts", Fault(file), "--max-new-tokens", "2", "--threads", "1",
        "--json",
    ];
}
