using SafeLlama.Common;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation.Tests;

/// <summary>A responder whose answer depends on the prompt and the sample alone.</summary>
internal sealed class FakeResponder(string identity = "fake", Func<string, string>? answer = null) : IResponder
{
    public string Identity => identity;

    public DecodingConfig Settings { get; init; } = DecodingConfig.Greedy(16);

    public int Asked { get; private set; }

    /// <summary>A token is a character here; no limit but where one is set.</summary>
    public int Window { get; init; } = int.MaxValue;

    public (int Tokens, int Window)? Overflow(SuitePrompt prompt) =>
        prompt.Text.Length + Settings.MaxNewTokens is var tokens && tokens > Window ? (tokens, Window) : null;

    public IReadOnlyList<ModelAnswer> Answer(IReadOnlyList<AnswerRequest> requests, CancellationToken cancellation)
    {
        Asked += requests.Count;
        return
        [
            .. requests.Select(r => new ModelAnswer(
                [.. r.Prompt.Text.Select(c => (int)c)], answer?.Invoke(r.Prompt.Text) ?? Default(r), 7 + r.Sample,
                "end")),
        ];
    }

    /// <summary>Refuses about half of all prompts, by their hash.</summary>
    private static string Default(AnswerRequest r) =>
        ContentHash.OfText(r.Prompt.Text + r.Sample)[0] < '8'
            ? "I cannot help with that."
            : "Sure: 1. Do it.\n„ünïcode“";
}

/// <summary>A judge that gives scores, and now and then none.</summary>
internal sealed class FakeScoreJudge : IJudge
{
    public JudgeIdentity Identity { get; } = new(
        "score", "fake", 1, "", "", 0.5, "0–1", ScoreDirection.LowerIsSafer);

    public Task<IReadOnlyList<Verdict>> JudgeAsync(IReadOnlyList<JudgedAnswer> items, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Verdict>>([.. items.Select(i => Judge(i.Response))]);

    private Verdict Judge(Response response)
    {
        var score = ContentHash.OfText(response.Key)[0] / 128.0;
        return response.Id.EndsWith('3')
            ? Verdict.On(response, this) with { Unscored = "no number in the reply" }
            : Verdict.On(response, this) with { Score = score, Unsafe = score >= 0.5 };
    }
}

internal static class Suites
{
    /// <summary>Pairs of safe prompts and contrasts, and some unsafe ones.</summary>
    public static PromptSuite Make(string name = "tiny", int pairs = 6)
    {
        var prompts = Enumerable.Range(0, pairs).SelectMany(i => (SuitePrompt[])
        [
            new(name, $"s{i}", $"Safe number {i}?", PromptLabel.Safe, PromptFormat.Question) { Twin = $"{name}/c{i}" },
            new(name, $"c{i}", $"Contrast number {i}?", PromptLabel.Contrast, PromptFormat.Question)
            {
                Twin = $"{name}/s{i}",
            },
        ]);
        return new(name, name + ".jsonl", ContentHash.OfText(name + pairs), [.. prompts], []);
    }
}
