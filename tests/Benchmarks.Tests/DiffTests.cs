using SafeLlama.Common;

namespace SafeLlama.Benchmarks.Tests;

/// <summary>Two files of results beside each other.</summary>
internal sealed class DiffTests
{
    private string _folder = "";

    [SetUp]
    public void Make_a_folder() => _folder = Directory.CreateTempSubdirectory("diff").FullName;

    [TearDown]
    public void Remove_it() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void Works_are_matched_and_judged()
    {
        var before = Write("a.json", [.. Rounds("tiny", 1.0), .. Rounds("small", 2.0)]);
        var after = Write("b.json", [.. Rounds("small", 2.0), .. Rounds("tiny", 0.5), .. Rounds("gqa", 1.0)]);
        var table = Diff(before, after);
        Assert.That(Row(table, "tiny"), Does.Contain("| 0.500 (").And.EndWith("| faster |"));
        Assert.That(Row(table, "small"), Does.EndWith("| noise |"));
        Assert.That(table, Does.Contain("Only in " + after + ": gqa"));
        Assert.That(table, Does.Not.Contain("one process"));
    }

    [Test]
    public void A_single_process_is_told()
    {
        var line = Step("tiny", 1.0, "[1.0,1.1,0.9,1.0,1.0]");
        Assert.That(Diff(Write("a.json", [line]), Write("b.json", [line])), Does.Contain("one process"));
    }

    [Test]
    public void Ops_are_read_as_they_are_written()
    {
        var op = new OpLine(
            "Linear.Forward", new Dictionary<string, string> { ["Model"] = "tiny" }, [1, 1.1, 0.9, 1, 1],
            MachineStamp.Now);
        var table = Diff(Write("a.json", [op.ToString()]), Write("b.json", [op.ToString()]));
        Assert.That(Row(table, "Linear.Forward (Model tiny)"), Does.EndWith("| noise |"));
        Assert.That(table, Does.Contain(MachineStamp.Now.Runtime));
    }

    [TestCase("{\"op\":3}", "line 1")]
    [TestCase("{\"peer\":\"p\"}", "\"mode\"")]
    [TestCase("{broken", "is no line of JSON")]
    [TestCase("nothing", "holds no line of JSON")]
    public void A_bad_line_is_named(string line, string expected)
    {
        var file = Write("a.json", [line]);
        var fault = Assert.Throws<SafeLlamaException>(() => Diff(file, file))!;
        Assert.That(fault.Message, Does.StartWith(file).And.Contain(expected));
    }

    [Test]
    public void Files_without_a_common_work_are_refused()
    {
        var (before, after) = (Write("a.json", [.. Rounds("tiny", 1)]), Write("b.json", [.. Rounds("small", 1)]));
        Assert.That(
            () => Diff(before, after),
            Throws.TypeOf<SafeLlamaException>().With.Message.Contain("holds no work that"));
    }

    private static string Diff(string before, string after)
    {
        using var writer = new StringWriter();
        DiffCommand.Run(before, after, writer);
        return writer.ToString();
    }

    private static string Row(string table, string work) =>
        table.Split('\n').Single(line => line.StartsWith($"| {work}", StringComparison.Ordinal)).TrimEnd();

    private static IEnumerable<string> Rounds(string config, double seconds) =>
        new[] { 1.00, 1.02, 0.99, 1.01, 1.03, 0.98, 1.00 }.Select(
            factor => Step(config, seconds * factor, $"[{seconds * factor:R}]"));

    private static string Step(string config, double seconds, string steps) =>
        $$"""
        {"peer":"p","config":"{{config}}","mode":"lora","targets":"qv","threads":1,"batch":8,"seq":256,"loss_last":8,
        "s_per_step_median":{{seconds:R}},"cpu_s_per_step":{{seconds:R}},"peak_rss_mb":1,"cpu_s":{{steps}}}
        """.ReplaceLineEndings("");

    private string Write(string name, string[] lines)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllLines(file, lines);
        return file;
    }
}
