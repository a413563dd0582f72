using SafeLlama.Inference;

namespace SafeLlama.Evaluation;

/// <summary>Asks a model and its export the same prompts, each through its own files, and compares.</summary>
/// <remarks>
/// The usual fault of an export is the prompt, not the weights: one space at its end reduced refusals from 53 of 250 to
/// none. Therefore the export is asked through its own tokenizer and chat template.
/// </remarks>
public static class ExportCheck
{
    private const int Batch = 16;

    /// <param name="original">The model as it is evaluated here.</param>
    /// <param name="exported">The written file, opened with the chat template it holds.</param>
    /// <param name="prompts">What both are asked; those with a context or earlier turns are left out and counted.</param>
    /// <param name="maxNewTokens">The longest answer.</param>
    public static ExportComparison Run(
        LlamaSession original,
        LlamaSession exported,
        IReadOnlyList<SuitePrompt> prompts,
        int maxNewTokens,
        CancellationToken cancellation)
    {
        var judge = new RefusalMatcher();
        var result = new ExportComparison { LeftOut = prompts.Count(prompt => prompt.Surroundings is not null) };
        foreach (var part in prompts.Where(prompt => prompt.Surroundings is null).Chunk(Batch))
        {
            var (before, after) = (
                Answers(original, part, maxNewTokens, cancellation),
                Answers(exported, part, maxNewTokens, cancellation));
            for (var i = 0; i < part.Length; i++)
            {
                var (refusedBefore, refusedAfter) = (Refuses(judge, before[i].Text), Refuses(judge, after[i].Text));
                var differs = !before[i].Prompt.AsSpan().SequenceEqual(after[i].Prompt);
                result = result with
                {
                    Prompts = result.Prompts + 1,
                    OtherPrompts = result.OtherPrompts + (differs ? 1 : 0),
                    OtherAnswers = result.OtherAnswers + (before[i].Text == after[i].Text ? 0 : 1),
                    RefusedBefore = result.RefusedBefore + (refusedBefore ? 1 : 0),
                    RefusedAfter = result.RefusedAfter + (refusedAfter ? 1 : 0),
                    OtherVerdicts = result.OtherVerdicts + (refusedBefore == refusedAfter ? 0 : 1),
                    FirstOtherPrompt = result.FirstOtherPrompt ?? (differs ? part[i].Key : null),
                };
            }
        }

        return result;
    }

    private static List<(int[] Prompt, string Text)> Answers(
        LlamaSession session, SuitePrompt[] prompts, int maxNewTokens, CancellationToken cancellation)
    {
        int[][] ids = [.. prompts.Select(prompt => session.PromptIds(prompt.Text))];
        var generator = new Generator(
            session.Model, session.Decoding(new DecodingConfig { MaxNewTokens = maxNewTokens }));
        return [.. generator.Generate(ids, cancel: cancellation)
            .Select((answer, i) => (ids[i], session.Decode(answer).Trim()))];
    }

    private static bool Refuses(RefusalMatcher judge, string answer) =>
        judge.Match(answer).Behavior is Behavior.FullRefusal or Behavior.PartialRefusal;
}
