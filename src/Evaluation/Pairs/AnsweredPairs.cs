using SafeLlama.Common;
using SafeLlama.Data;

namespace SafeLlama.Evaluation;

/// <summary>What becomes of a run's answers when pairs are built: every answer is counted once.</summary>
/// <param name="Answers">Answers of the run.</param>
/// <param name="SafetyPairs">Harmful answers, each beside the demonstration of its prompt.</param>
/// <param name="OverRefusalPairs">Refusals of safe prompts, each beside the right answer.</param>
public sealed record PairCounts(int Answers, int SafetyPairs, int OverRefusalPairs)
{
    /// <summary>Answers that need no correction: harm was refused, or a safe prompt answered.</summary>
    public required int AsWanted { get; init; }

    /// <summary>Harmful answers whose prompt no demonstration has.</summary>
    public required int WithoutDemonstration { get; init; }

    /// <summary>Refusals of safe prompts of which no right answer is given.</summary>
    public required int WithoutRightAnswer { get; init; }

    /// <summary>Answers that are none: empty, repetitions, word salad.</summary>
    public required int Invalid { get; init; }

    /// <summary>Answers of which the judge said nothing that tells.</summary>
    public required int Unscored { get; init; }

    /// <summary>Answers that equal what they would be corrected to.</summary>
    public required int Equal { get; init; }

    /// <summary>A line for every count that is not zero.</summary>
    public IEnumerable<string> Lines()
    {
        yield return $"{Counted.Of(Answers, "answer")}: {Counted.Of(SafetyPairs, "pair")} from harmful answers, "
            + $"{OverRefusalPairs} from refusals of safe prompts.";
        foreach (var (count, what) in new[]
        {
            (AsWanted, "answers are as wanted and make no pair"),
            (WithoutDemonstration, "harmful answers have no demonstration of their prompt"),
            (WithoutRightAnswer, "refusals of safe prompts have no right answer to their prompt"),
            (Invalid, "answers are invalid (empty, repetitions, word salad) and make no pair"),
            (Unscored, "answers were not judged and make no pair"),
            (Equal, "answers equal what they would be corrected to"),
        })
        {
            if (count > 0)
            {
                yield return $"{count} {what}.";
            }
        }
    }
}

/// <summary>Pairs from a model's own answers: the answer was wrong, and a row of a file says what is right.</summary>
/// <remarks>
/// <code>
/// harmful answer to a prompt to be refused      chosen: the demonstration's refusal    rejected: the answer
/// refusal of a safe prompt                      chosen: the right answer               rejected: the refusal
/// </code>
/// The rejected half is what the model does say, not what someone might: a preference loss has the most to push away
/// there. Rows match prompts by their words, whatever their case and punctuation.
/// </remarks>
/// <param name="Rows">The pairs, in the order of the run's answers.</param>
public sealed record AnsweredPairs(IReadOnlyList<PreferenceRow> Rows, PairCounts Counts)
{
    /// <param name="outcomes">The answers, as one judge saw them.</param>
    /// <param name="demonstrations">Prompts that are to be refused, each with its refusal.</param>
    /// <param name="answers">Safe prompts, each with a right answer.</param>
    /// <exception cref="SafeLlamaException">Two rows give one prompt different answers.</exception>
    public static AnsweredPairs Build(
        IReadOnlyList<Outcome> outcomes, IReadOnlyList<TrainingExample> demonstrations,
        IReadOnlyList<TrainingExample> answers)
    {
        var (refusals, right) = (ByPrompt(demonstrations), ByPrompt(answers));
        var pairs = new List<PreferenceRow>();
        var fates = outcomes.CountBy(outcome => Take(outcome)).ToDictionary();
        int Count(Fate fate) => fates.GetValueOrDefault(fate);
        return new(pairs, new(outcomes.Count, Count(Fate.Safety), Count(Fate.OverRefusal))
        {
            AsWanted = Count(Fate.AsWanted),
            WithoutDemonstration = Count(Fate.WithoutDemonstration),
            WithoutRightAnswer = Count(Fate.WithoutRightAnswer),
            Invalid = Count(Fate.Invalid),
            Unscored = Count(Fate.Unscored),
            Equal = Count(Fate.Equal),
        });

        Fate Take(Outcome outcome)
        {
            if (outcome.IsInvalid)
            {
                return Fate.Invalid;
            }

            var harmful = outcome.Prompt.Label is PromptLabel.Unsafe or PromptLabel.Contrast;
            if ((harmful ? outcome.Verdict.Unsafe ?? !outcome.Refused : outcome.Refused) is not { } wrong)
            {
                return Fate.Unscored;
            }

            if (!wrong)
            {
                return Fate.AsWanted;
            }

            var better = harmful ? refusals : right;
            if (!better.TryGetValue(Key(outcome.Prompt.Text, outcome.Prompt.Surroundings), out var row))
            {
                return harmful ? Fate.WithoutDemonstration : Fate.WithoutRightAnswer;
            }

            if (row.Answer.Trim() == outcome.Response.Answer.Trim())
            {
                return Fate.Equal;
            }

            InstructionExample Side(string answer) =>
                new(outcome.Prompt.Text, outcome.Prompt.Context ?? "", answer)
                {
                    Id = outcome.Response.Key,
                    OriginId = row.Id,
                    Category = harmful ? "safety" : "over-refusal",
                };
            pairs.Add(new(Side(row.Answer), Side(outcome.Response.Answer)));
            return harmful ? Fate.Safety : Fate.OverRefusal;
        }
    }

    private static Dictionary<string, TrainingExample> ByPrompt(IReadOnlyList<TrainingExample> rows)
    {
        var found = new Dictionary<string, TrainingExample>(StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var key = row is InstructionExample { Input.Length: > 0 } both
                ? Key(both.Instruction, both.Input) : Key(row.Question, null);
            if (!found.TryAdd(key, row) && found[key].Answer != row.Answer)
            {
                throw SafeLlamaException.InvalidData(
                    $"{row.Source}: {row.Id}: asks what {found[key].Id} ({found[key].Source}) asks and answers "
                    + "otherwise; expected one right answer to a prompt.");
            }
        }

        return found;
    }

    private static string Key(string text, string? context) =>
        NormalizedText.Of(string.IsNullOrEmpty(context) ? text : $"{text}\n\n{context}");

    private enum Fate
    {
        Safety,
        OverRefusal,
        AsWanted,
        WithoutDemonstration,
        WithoutRightAnswer,
        Invalid,
        Unscored,
        Equal,
    }
}
