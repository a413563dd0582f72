using System.Globalization;
using System.Text.Json.Nodes;
using SafeLlama.Testing;

namespace SafeLlama.Cli.Tests;

/// <summary>A trained model that people use, from the command line: TinyStories, 260 K weights.</summary>
[NonParallelizable]
public sealed class StoriesTests
{
    private readonly Files _files = new();
    private string _model = "";

    [OneTimeSetUp]
    public void Find() => _model = TestFiles.Real("stories260K");

    [Test]
    public void Greedy_from_BOS_is_the_trainers_own_text_byte_for_byte()
    {
        var expected = File.ReadAllText(TestFiles.Real("stories260K/expected_200_greedy_from_bos.txt"));
        var run = Door.Run("generate", "--model", _model, "--raw", "--prompt", "", "--max-new-tokens", "200");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        Assert.That(run.Output.TrimEnd('\n'), Is.EqualTo(expected.TrimEnd('\n')));
    }

    [Test]
    public void Log_probabilities_are_those_of_an_independent_computation_in_fp64()
    {
        var lines = File.ReadAllLines(TestFiles.Real("stories260K/reference_greedy120_logp_fp64.txt"))
            .Where(line => line.Length > 0).Select(line => line.Split(' ')).ToList();
        var ids = _files.Write("ids.txt", "1 " + string.Join(' ', lines.Select(line => line[0])));
        var run = Door.Run("score", "--model", _model, "--tokens", ids, "--json");
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        var found = JsonNode.Parse(run.Output)!["tokens"]!.AsArray()
            .Select(token => token!["log_likelihood"]!.GetValue<double>());

        // The reference is printed to nine decimals; fp32 sums over 64 to 172 terms differ from fp64 by some 1e-6.
        Assert.That(
            found, Is.EqualTo(lines.Select(line => double.Parse(line[1], CultureInfo.InvariantCulture))).Within(1e-5));
    }

    [Test]
    public void A_continuation_joins_its_prompt()
    {
        const string Prompt = "Once upon a time, there was a little";
        var whole = Door.Run("generate", "--model", _model, "--raw", "--prompt", "", "--max-new-tokens", "60");
        var rest = Door.Run(
            "generate", "--model", _model, "--raw", "--prompt", Prompt, "--max-new-tokens", "20", "--json");
        var response = JsonNode.Parse(rest.Output)!["response"]!.GetValue<string>();
        Assert.That(response, Does.StartWith(" girl"), "the space belongs to the continuation");
        Assert.That(whole.Output, Does.StartWith(Prompt + response));
    }

    [Test]
    public void A_lora_run_learns_its_adapter_merges_and_both_answer_alike()
    {
        var rows = _files.Write("rows.jsonl", string.Concat(Enumerable.Range(1, 16).Select(i =>
            $"{{\"prompt\": \"Tom has {i} cats.\", \"completion\": \" The cats are happy.\"}}\n")));
        var (run, merged) = (_files.At("run"), _files.At("merged"));
        var trained = Door.Run(
            "train", "--model", _model, "--data", rows, "--steps", "20", "--batch-size", "8", "--learning-rate", "0.01",
            "--max-length", "64", "--validation", "0", "--targets", "all", "--out", run);
        Assert.That(trained.ExitCode, Is.Zero, trained.Error);
        var adapter = Path.Combine(run, "adapter");
        var made = Door.Run("merge", "--model", _model, "--adapter", adapter, "--out", merged);
        Assert.That(made.ExitCode, Is.Zero, made.Error);

        string[] ask = ["--raw", "--prompt", "Tom has 3 cats.", "--max-new-tokens", "8"];
        var before = Door.Run(["generate", "--model", _model, .. ask]);
        var beside = Door.Run(["generate", "--model", _model, "--adapter", adapter, .. ask]);
        var within = Door.Run(["generate", "--model", merged, .. ask]);
        Assert.Multiple(() =>
        {
            Assert.That(beside.Output, Does.StartWith(" The cats are happy."), beside.Error);
            Assert.That(within.Output, Is.EqualTo(beside.Output), within.Error);
            Assert.That(before.Output, Is.Not.EqualTo(beside.Output));
            Assert.That(File.Exists(Path.Combine(merged, "generation_config.json")));
        });
    }

    [Test]
    public void A_conversation_is_held()
    {
        var input = Console.In;
        try
        {
            Console.SetIn(new StringReader("Tell a story.\n/new\nAnother one.\n/quit\n"));
            var run = Door.Run("generate", "--model", _model, "--template", "vicuna", "--max-new-tokens", "10");
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            Assert.That(run.Output.TrimEnd('\n').Split('\n'), Has.Length.GreaterThanOrEqualTo(2), run.Error);
        }
        finally
        {
            Console.SetIn(input);
        }
    }

    [Test]
    public void Suggested_ends_end_an_answer_and_suggested_sampling_is_told()
    {
        var folder = _files.At("suggesting");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(_model))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        // "." ends the first sentence of the golden text.
        var dot = SafeLlama.Data.TokenizerLoader.Load(_model).Encode("a.")[^1];
        File.WriteAllText(
            Path.Combine(folder, "generation_config.json"),
            $$"""{"eos_token_id": [2, {{dot}}], "do_sample": true, "temperature": 0.6, "top_p": 0.9}""");
        var run = Door.Run("generate", "--model", folder, "--raw", "--prompt", "", "--max-new-tokens", "60");
        Assert.Multiple(() =>
        {
            Assert.That(run.Output.TrimEnd('\n'),
                Is.EqualTo("Once upon a time, there was a little girl named Lily"), run.Error);
            Assert.That(
                run.Error, Does.Contain("suggests do_sample true, temperature 0.6, top_p 0.9; none of it is applied"));
            Assert.That(run.Error, Does.Contain($"lets an answer end with {dot} too"));
        });
    }

    [Test]
    public void Suggested_sampling_is_applied_when_it_is_asked_for()
    {
        var folder = _files.At("sampling");
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(_model))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        }

        var suggested = Path.Combine(folder, "generation_config.json");
        File.WriteAllText(suggested, """{"do_sample": true, "temperature": 0.6, "top_p": 0.9, "top_k": 20}""");
        string[] ask = ["generate", "--model", folder, "--raw", "--prompt", "", "--seed", "3"];
        var asked = Door.Run([.. ask, "--profile", "model"]);
        var named = Door.Run([.. ask, "--temperature", "0.6", "--top-p", "0.9", "--top-k", "20"]);
        Assert.That(asked.ExitCode, Is.Zero, asked.Error);
        Assert.That(asked.Output, Is.EqualTo(named.Output));
        File.WriteAllText(suggested, """{"do_sample": true, "penalty_alpha": 0.6}""");
        Door.Refuses(Common.ExitCode.InvalidData, "suggests penalty_alpha 0.6, which is not computed",
            [.. ask, "--profile", "model"]);
    }

    [Test]
    public void A_conversation_that_outgrows_the_context_says_so_and_goes_on()
    {
        var input = Console.In;
        try
        {
            var lines = string.Concat(Enumerable.Repeat("Tell me a story.\n", 6));
            Console.SetIn(new StringReader(lines + "/quit\n"));
            var run = Door.Run(
                "generate", "--model", _model, "--template", "vicuna", "--max-new-tokens", "120",
                "--max-length", "400");
            Assert.That(run.ExitCode, Is.Zero, run.Error);
            Assert.That(run.Error, Does.Contain("outgrown the 400 tokens").And.Contain("oldest turns are forgotten"));
        }
        finally
        {
            Console.SetIn(input);
        }
    }
}
