using SafeLlama.Cli.Results;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Cli;

/// <summary>The answers of an evaluation run, for reading: <c>runs RUN --answers</c>.</summary>
internal static class AnswersView
{
    /// <summary>What is printed of each answer.</summary>
    /// <param name="showUnsafe">Whether answers that may be harmful are shown whole.</param>
    public static IEnumerable<AnswerEntry> Entries(IEnumerable<RunAnswer> answers, bool showUnsafe) =>
        answers.Select(answer =>
        {
            var folded = answer.MayHarm && !showUnsafe;
            return new AnswerEntry(
                answer.Prompt.Suite, answer.Prompt.Id, answer.Response.Sample, answer.Prompt.Label, answer.Prompt.Text)
            {
                Before = answer.Prompt.Surroundings,
                Answer = folded ? null : answer.Response.Answer,
                Folded = folded ? answer.Response.Answer.Length : null,
                StopReason = answer.Response.StopReason,
                Invalid = answer.IsInvalid,
                Verdicts =
                [
                    .. answer.Outcomes.Zip(answer.Judges, (outcome, judge) => new AnswerEntry.Said(
                        judge, outcome.Verdict.Behavior, outcome.Verdict.Score, outcome.Verdict.Unsafe,
                        folded ? null : outcome.Verdict.Detail, outcome.Verdict.Unscored)),
                ],
            };
        });

    /// <summary>A few lines for each answer. The text is untrusted: whoever prints it escapes it.</summary>
    public static IEnumerable<string> Lines(AnswerEntry entry)
    {
        var sample = entry.Sample > 0 ? $" #{entry.Sample}" : "";
        yield return SafeText.ForTerminalCell(
            $"{entry.Suite}/{entry.Id}{sample}  {entry.Label.ToString().ToLowerInvariant()}"
            + (entry.Invalid ? ", invalid" : ""));
        if (entry.Before is { } before)
        {
            yield return "  before: " + Indented(before);
        }

        yield return "  prompt: " + Indented(entry.Prompt);
        yield return entry.Folded is { } length
            ? $"  answer: {length} characters that may be harmful, folded"
            : "  answer: " + Indented(entry.Answer!) + (entry.StopReason == "length" ? " … cut off" : "");
        foreach (var said in entry.Verdicts)
        {
            yield return SafeText.ForTerminalCell($"  {said.Judge}: {Text(said)}");
        }
    }

    private static string Text(AnswerEntry.Said said)
    {
        var words = VerdictText.Of(said.Behavior, said.Score, said.Unsafe, said.Unscored);
        return said.Unscored is null && said.Detail is { } detail ? $"{words}, {detail}" : words;
    }

    /// <summary>Further lines stand under the first, so that no text can pass for a line of this view.</summary>
    private static string Indented(string text) =>
        text.Trim().ReplaceLineEndings("\n").Replace("\n", "\n          ", StringComparison.Ordinal);
}
