using System.Text.Json.Nodes;
using SafeLlama.Common;

namespace SafeLlama.Cli.Tests;

/// <summary>A model made for more than 4,096 positions is used beyond them.</summary>
[NonParallelizable]
public sealed class LongContextTests : IDisposable
{
    private TinyModel _model = null!;

    [OneTimeSetUp]
    public void Train()
    {
        _model = new TinyModel();
        var config = JsonNode.Parse(File.ReadAllText(_model.Config))!;
        config["max_position_embeddings"] = 131072;
        File.WriteAllText(_model.Config, config.ToJsonString());
        Assert.That(_model.Train().ExitCode, Is.Zero);
    }

    public void Dispose() => _model.Dispose();

    [Test]
    public void A_text_of_5000_tokens_is_scored_and_a_prompt_of_as_many_answered()
    {
        var (ids, text) = (_model.Out("ids.txt"), _model.Out("long.txt"));
        File.WriteAllText(ids, string.Join(' ', Enumerable.Range(0, 5_000).Select(i => 3 + (i % 400))));
        File.WriteAllText(text, string.Join(' ', Enumerable.Repeat("again", 4_500)));
        var scored = Door.Run("score", "--model", _model.Model, "--tokens", ids, "--json");
        Assert.That(scored.ExitCode, Is.Zero, scored.Error);
        Assert.That(JsonNode.Parse(scored.Output)!["tokens"]!.AsArray(), Has.Count.EqualTo(4_999));
        var answered = Door.Run(
            "generate", "--model", _model.Model, "--prompts", text, "--max-new-tokens", "2", "--json");
        Assert.That(answered.ExitCode, Is.Zero, answered.Error);
        Assert.That(JsonNode.Parse(answered.Output)!["prompt_tokens"]!.GetValue<int>(), Is.GreaterThan(4_500));
    }

    [Test]
    public void A_smaller_limit_is_kept_and_named()
    {
        var run = Door.Run(
            "generate", "--model", _model.Model, "--prompt", "a long request",
            "--max-length", "16", "--max-new-tokens", "8", "--template", "alpaca");
        Assert.That(run.ExitCode, Is.EqualTo((int)ExitCode.Usage));
        Assert.That(run.Error, Does.Contain("do not fit into the 16").And.Contain("raise --max-length"));
        Door.Refuses(
            ExitCode.Usage, "131072 (max_position_embeddings)", "score", "--model", _model.Model, "--text", "a b",
            "--max-length", "200000");
    }
}
