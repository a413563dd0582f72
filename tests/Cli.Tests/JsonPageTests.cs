using System.Text.Json;
using System.Text.Json.Nodes;
using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>What programs read: results, help and files, described as they are.</summary>
[Category("Docs")]
public sealed class JsonPageTests
{
    /// <summary>SAFELLAMA_WRITE_DOCS=1 writes the page instead.</summary>
    [Test]
    public void The_page_is_what_the_types_say()
    {
        var path = Path.Combine(TestFiles.Root, "docs", "json.md");
        var page = JsonPage.Of(JsonParts.All, JsonParts.Foreign);
        if (Environment.GetEnvironmentVariable("SAFELLAMA_WRITE_DOCS") == "1")
        {
            File.WriteAllText(path, page);
        }

        Assert.That(File.ReadAllText(path), Is.EqualTo(page), "SAFELLAMA_WRITE_DOCS=1 makes the page anew");
    }

    [Test]
    public void Every_result_is_on_the_page()
    {
        var page = File.ReadAllText(Path.Combine(TestFiles.Root, "docs", "json.md"));
        var results = typeof(MergeResult).Assembly.GetTypes().Where(type =>
            type.Namespace == typeof(MergeResult).Namespace && type is { IsNested: false, IsAbstract: false }
            && type.Name.EndsWith("Result", StringComparison.Ordinal));
        Assert.That(results.Select(type => type.Name).Where(name => !page.Contains($"\n### {name}\n")), Is.Empty);
    }

    [Test]
    public void Help_is_there_for_programs()
    {
        var help = JsonNode.Parse(Door.Run("train", "--help", "--json").Output)!;
        var options = help["options"]!.AsArray().ToDictionary(o => o!["name"]!.GetValue<string>(), o => o!);
        Assert.Multiple(() =>
        {
            Assert.That(help["verb"]!.GetValue<string>(), Is.EqualTo("train"));
            Assert.That(options["--micro-batch"].ToJsonString(), Does.Contain("\"type\":\"whole number\"")
                .And.Contain("\"unit\":\"ROWS\"").And.Contain("\"default\":\"4\""));
            Assert.That(options["--schedule"]["choices"]!.AsArray().Select(c => c!.GetValue<string>()),
                Is.EqualTo(new[] { "linear", "cosine", "constant" }));
            Assert.That(options["--data"]["several"]!.GetValue<bool>());
            Assert.That(options["--full"]["type"]!.GetValue<string>(), Is.EqualTo("switch"));
            Assert.That(
                JsonNode.Parse(Door.Run("judge", "train", "--help", "--json").Output)!["verb"]!.GetValue<string>(),
                Is.EqualTo("judge train"));
            Assert.That(
                JsonNode.Parse(Door.Run("--help", "--json").Output)!["verbs"]!.AsArray(), Has.Count.GreaterThan(8));
        });
    }

    [TestCase("train", "--rnak", "4", "--rank")]
    [TestCase("trian", "--rank", "4", "train")]
    public void A_typo_is_answered_with_what_was_meant(string verb, string option, string value, string meant) =>
        Door.Refuses(ExitCode.Usage, $"Did you mean {meant}?", verb, option, value);

    [Test]
    public void An_interval_names_its_parts_and_an_old_one_is_read()
    {
        var text = JsonSerializer.Serialize(new Interval(0.5, 0.25, double.NaN), EvaluationJson.Line);
        Assert.That(text, Is.EqualTo("""{"value":0.5,"low":0.25,"high":null,"level":0.95}"""));
        foreach (var form in (string[])[text, "[0.5,0.25,null]"])
        {
            var read = JsonSerializer.Deserialize<Interval>(form, EvaluationJson.Line);
            Assert.That((read.Value, read.Low, double.IsNaN(read.High)), Is.EqualTo((0.5, 0.25, true)), form);
        }

        Assert.That(JsonSerializer.Serialize(Interval.None, EvaluationJson.Line), Is.EqualTo("null"));
        Assert.That(() => JsonSerializer.Deserialize<Interval>("[1,2]", EvaluationJson.Line),
            Throws.InstanceOf<JsonException>());
    }
}
