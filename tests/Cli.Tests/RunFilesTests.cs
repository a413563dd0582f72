using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;

namespace SafeLlama.Cli.Tests;

/// <summary>Every JSON file that a verb writes is described on the page of JSON forms, field by field.</summary>
[NonParallelizable]
public sealed partial class RunFilesTests : IDisposable
{
    private readonly TinyModel _model = new();

    /// <summary>What verbs printed with <c>--json</c>.</summary>
    private readonly Dictionary<string, string> _printed = [];

    [OneTimeSetUp]
    public void RunEveryVerbThatWrites()
    {
        Assert.That(_model.Train().ExitCode, Is.Zero);
        var run = _model.Out("evaluation");
        var suite = Write("harm.jsonl", 6, """{"id": "{0}", "prompt": "Do {0}.", "label": "unsafe"}""");
        var labels = Write("labels.jsonl", 4, """{"prompt": "p{0}", "response": "I cannot.", "label": "full_refusal"}""");
        var pairs = Write(
            "pairs.jsonl", 8,
            """{"chosen": "\n\nHuman: {0}\n\nAssistant: b", "rejected": "\n\nHuman: {0}\n\nAssistant: c"}""");
        File.WriteAllText(_model.Out("openbookqa.test.json"), """
            [{"instruction": "Please choose the correct answer to the question: Is a stone hard?\n\nAnswer1: yes Answer2: no\n\nAnswer format: answer1/answer2",
              "answer": "answer1"}]
            """);
        string[] mixed = ["--data", _model.Rows, "--safety", _model.Safety, "--safety-examples", "4"];
        Do(_model.FineTune("run"));
        Do(["data", "mix", .. mixed, "--out", _model.Out("mixed.jsonl")]);
        Do(["judge", "validate", "--judge", "refusal", "--labels", labels, "--out", _model.Out("card.json")]);
        Do(["evaluate", "--model", _model.Model, "--adapter", Path.Combine(_model.Out("run"), "adapter"), "--suite", suite,
            "--out", run, "--max-new-tokens", "2", "--card", _model.Out("card.json"), "--capability", "openbookqa",
            "--suites", _model.Folder]);
        Do(["judge", "run", run, "--judge", "xstest"]);
        Print("judge export", run, "--out", _model.Out("sheet.csv"));
        var sheet = File.ReadAllText(_model.Out("sheet.csv")).Replace(",,,", ",full_refusal,,");
        File.WriteAllText(_model.Out("one.csv"), sheet);
        File.WriteAllText(_model.Out("two.csv"), sheet);
        Print("judge import", run, "--key", _model.Out("sheet.csv.key.jsonl"), "--labels", _model.Out("one.csv"),
            _model.Out("two.csv"));
        Do(["compare", run, run, "--out", _model.Out("comparison")]);
        Print("judge train", "--model", _model.Model, "--pairs", pairs, "--batch-size", "2", "--out",
            _model.Out("reward"));
        Print("study world --out", _model.Out("world"));
        Print("study world");
        File.WriteAllText(_model.Out("recipe.yaml"), $$"""
            name: tiny
            question: Which files are there?
            models: ['{{_model.Model}}']
            data: { instructions: '{{_model.Rows}}', instruction_count: 16, safety: '{{_model.Safety}}',
              suites: { harm: '{{suite}}' } }
            training: { epochs: 1, batch_size: 8, warmup_steps: 1, max_length: 128 }
            decoding: { max_new_tokens: 2 }
            metrics: [{ name: harm, title: Harm, measure: complies, suites: [harm], lower_is_better: true }]
            arms: [{ name: none, safety_examples: 0 }, { name: some, safety_examples: 4 }]
            claims: [{ id: c, statement: It falls., metric: harm, test: lower, arm: some, baseline: none }]
            """);
        Do(["study", "--recipe", _model.Out("recipe.yaml"), "--out", _model.Out("study"), "--parallel", "1"]);
    }

    public void Dispose() => _model.Dispose();

    [TestCase("base")]
    [TestCase("run")]
    [TestCase("evaluation")]
    [TestCase("comparison")]
    [TestCase("reward")]
    [TestCase("study")]
    [TestCase("world")]
    [TestCase("mixed.manifest.json")]
    [TestCase("sheet.csv.key.jsonl")]
    [TestCase("card.json", "card-1.json")]
    public void Every_file_is_on_the_page_with_all_its_fields(string name, string? known = null)
    {
        var path = _model.Out(name);
        var files = File.Exists(path) ? [path]
            : Directory.GetFiles(path, "*.json*", SearchOption.AllDirectories)
                .Where(file => !Path.GetFileName(file).StartsWith('.')).ToArray();
        Assert.That(files, Is.Not.Empty);
        Assert.Multiple(() =>
        {
            foreach (var file in files)
            {
                var place = known ?? Path.GetRelativePath(_model.Folder, file).Replace('\\', '/');
                var types = JsonParts.All.Where(part => part.Heading.StartsWith("Files", StringComparison.Ordinal))
                    .SelectMany(part => part.Objects).Where(o => IsAt(o.Name, place)).Select(o => o.Type).ToList();
                if (types.Count == 0)
                {
                    Assert.That(JsonParts.Foreign.Any(f => IsAt(f.Name, place)), place);
                    continue;
                }

                foreach (var text in file.EndsWith('l') ? File.ReadAllLines(file) : [File.ReadAllText(file)])
                {
                    var fields = JsonNode.Parse(text)!.AsObject().Select(f => f.Key).ToList();
                    Assert.That(types.Any(type => fields.All(f => HasField(type, f))), $"{place}: {text}");
                }
            }
        });
    }

    [TestCase("judge export", "answers")]
    [TestCase("judge import", "differing")]
    [TestCase("judge train", "reward")]
    [TestCase("study world", "parts")]
    [TestCase("study world --out", "world")]
    public void What_a_verb_prints_is_one_object_on_the_page(string verb, string holds)
    {
        var fields = JsonNode.Parse(_printed[verb])!.AsObject().Select(f => f.Key).ToList();
        var (_, type) = JsonParts.All[0].Objects.First(o => o.Name == $"`{verb}`");
        Assert.That(fields, Does.Contain(holds));
        Assert.That(fields.Where(f => !HasField(type, f)), Is.Empty, _printed[verb]);
    }

    [Test]
    public void A_file_that_is_not_on_the_page_would_be_found() =>
        Assert.That(JsonParts.All.SelectMany(p => p.Objects).Any(o => IsAt(o.Name, "run/strange.json")), Is.False);

    /// <summary>Whether one of the patterns in backquotes is the end of a path.</summary>
    private static bool IsAt(string name, string path) => Pattern().Matches(name).Any(match => Regex.IsMatch(
        path, "(^|/)" + Regex.Escape(match.Groups[1].Value).Replace(@"\*", "[^/]*") + "$"));

    private static bool HasField(Type type, string field) => type.IsAssignableTo(typeof(System.Collections.IEnumerable))
        || type.GetInterfaces().Append(type).Any(t => t.IsGenericType
            && t.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        || type.GetProperties().Any(p => field == (
            p.GetCustomAttributes(typeof(JsonPropertyNameAttribute), false) is [JsonPropertyNameAttribute own]
                ? own.Name : JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Name)));

    private void Print(string verb, params string[] arguments) =>
        _printed[verb] = Do([.. verb.Split(' '), .. arguments, "--json"]);

    private static string Do(string[] arguments)
    {
        var run = Door.Run(arguments);
        Assert.That(run.ExitCode, Is.Zero, $"{string.Join(' ', arguments)}: {run.Error}");
        return run.Output;
    }

    /// <summary>Rows of a form, numbered; {0} is the number.</summary>
    private string Write(string name, int count, string row)
    {
        File.WriteAllLines(_model.Out(name), Enumerable.Range(0, count).Select(i => row.Replace("{0}", $"{i}")));
        return _model.Out(name);
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Pattern();
}
