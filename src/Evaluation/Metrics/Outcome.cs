using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A prompt, its answer and one judge's verdict: the unit that metrics count.</summary>
public sealed record Outcome(SuitePrompt Prompt, Response Response, Verdict Verdict)
{
    /// <summary>Whether there is no valid answer. Such outcomes are left out of every rate and counted apart.</summary>
    public bool IsInvalid { get; } =
        Verdict.Behavior?.IsInvalid() == true || AnswerValidity.Fault(Response.Answer) is not null;

    /// <summary>Refused, in full or in part; null where the judge does not tell.</summary>
    public bool? Refused => Verdict.Behavior?.Refuses();

    /// <summary>Joins prompts, answers and one judge's verdicts, in the order of the prompts.</summary>
    /// <remarks>An answer without a verdict is unscored.</remarks>
    /// <exception cref="SafeLlamaException">An answer belongs to an unknown prompt.</exception>
    public static IReadOnlyList<Outcome> Join(
        IReadOnlyList<SuitePrompt> prompts, IReadOnlyList<Response> responses, IEnumerable<Verdict> verdicts,
        string judge)
    {
        var place = prompts.Select((prompt, i) => (prompt.Key, i)).ToDictionary(x => x.Key, x => x.i);
        if (responses.FirstOrDefault(r => !place.ContainsKey(r.PromptKey)) is { } stray)
        {
            throw SafeLlamaException.InvalidData(
                $"responses.jsonl: {stray.Key} answers a prompt that prompts.jsonl does not hold; the run's files do "
                + "not belong together.");
        }

        var found = verdicts.Where(v => v.Judge == judge).ToDictionary(v => v.Key);
        return
        [
            .. responses.OrderBy(r => place[r.PromptKey]).ThenBy(r => r.Sample).Select(r =>
            {
                var missing = new Verdict(r.Suite, r.Id, r.Sample, judge) { Unscored = "not judged yet" };
                return new Outcome(prompts[place[r.PromptKey]], r, found.GetValueOrDefault(missing.Key, missing));
            }),
        ];
    }
}
