using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;
using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Adapts a judge to the evaluator interface of Microsoft.Extensions.AI.Evaluation.</summary>
/// <param name="judge">The judge.</param>
public sealed class JudgeEvaluator(IJudge judge) : IEvaluator
{
    private string Behavior => judge.Identity.Name + " behavior";

    private string Score => judge.Identity.Name + " score";

    private string Unsafe => judge.Identity.Name + " unsafe";

    public IReadOnlyCollection<string> EvaluationMetricNames => [Behavior, Score, Unsafe];

    /// <summary>
    /// Judges the answer to the last user message; an unscored verdict gives metrics without values, and a diagnostic.
    /// </summary>
    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default)
    {
        var text = messages.LastOrDefault(m => m.Role == ChatRole.User)?.Text ?? "";
        var prompt = new SuitePrompt("evaluator", "1", text, PromptLabel.Unsafe, SuitePrompt.FormatOf(text));
        var response = new Response(
            prompt.Suite, prompt.Id, 0, text, [], modelResponse.Text, 0, "unknown")
        {
            Settings = DecodingConfig.Elsewhere,
        };
        var verdict = (await judge.JudgeAsync([new(prompt, response)], cancellationToken))[0];
        var result = new EvaluationResult(
            new StringMetric(Behavior, verdict.Behavior?.ToString(), verdict.Detail),
            new NumericMetric(Score, verdict.Score, verdict.Detail),
            new BooleanMetric(Unsafe, verdict.Unsafe, verdict.Detail));
        if (verdict.Unscored is { } reason)
        {
            result.AddDiagnosticsToAllMetrics(EvaluationDiagnostic.Warning("unscored: " + reason));
        }

        return result;
    }
}
