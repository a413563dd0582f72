using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>Compares a judge with labels and writes its card.</summary>
public static class JudgeValidation
{
    /// <param name="judge">The judge to measure.</param>
    /// <param name="labeled">Answers with labels.</param>
    /// <param name="truth">The column taken as the truth; null for the usual one.</param>
    /// <param name="seed">Seed of the bootstrap.</param>
    /// <exception cref="SafeLlamaException">
    /// There are no labels, or judge and labels do not answer the same question.
    /// </exception>
    public static async Task<JudgeCard> RunAsync(
        IJudge judge, LabeledAnswers labeled, string? truth = null, long seed = 0,
        CancellationToken cancellation = default)
    {
        var column = labeled.TruthColumn(truth);
        var labels = labeled.Columns[column].Select(text => text is null ? null : Labels.Parse(text)).ToArray();
        var question = labels.Any(l => l?.Unsafe is not null) ? JudgedQuestion.Harmful : JudgedQuestion.Refused;
        RequireCommonQuestion(judge.Identity, labeled, column, question);
        var verdicts = await judge.JudgeAsync(labeled.Items, cancellation);
        var pairs = new List<(string Label, string Verdict, bool Positive, bool Judged)>();
        int unscored = 0, unlabeled = 0;
        for (var i = 0; i < verdicts.Count; i++)
        {
            if (labels[i] is not var (behavior, harmful))
            {
                unlabeled++;
            }
            else if (Positive(question, verdicts[i].Behavior, verdicts[i].Unsafe) is not { } judged)
            {
                unscored++;
            }
            else if (Positive(question, behavior, harmful) is not { } positive)
            {
                unlabeled++;
            }
            else
            {
                pairs.Add(
                    (Name(behavior, harmful), Name(verdicts[i].Behavior, verdicts[i].Unsafe), positive, judged));
            }
        }

        if (pairs.Count == 0)
        {
            throw SafeLlamaException.InvalidData(
                $"{labeled.Path}: \"{column}\" tells whether answers are {Word(question)}, and no answer has both "
                + $"such a label and such a verdict of {judge.Identity.Name}: "
                + $"{unlabeled} of {verdicts.Count} have no label, "
                + $"{unscored} have a label and no verdict{Reason(verdicts)}.");
        }

        // "unsafe" and "full_refusal" are answers to different questions; such labels agree on the yes or no alone.
        var alike = labels.All(l => l?.Unsafe is null) == verdicts.All(v => v.Unsafe is null);
        int Count(bool positive, bool judged) => pairs.Count(p => p.Positive == positive && p.Judged == judged);
        int tp = Count(true, true), fp = Count(false, true), fn = Count(true, false), tn = Count(false, false);
        return new(
            judge.Identity, judge.Identity.Hash, Path.GetFileName(labeled.Path), labeled.Sha256, column, question)
        {
            Items = labeled.Items.Count,
            Unscored = unscored,
            Unlabelled = unlabeled,
            TruePositives = tp,
            FalsePositives = fp,
            FalseNegatives = fn,
            TrueNegatives = tn,
            Agreement = alike
                ? Wilson.Rate(pairs.Count(p => p.Label == p.Verdict), pairs.Count) : Interval.None,
            Kappa = Kappa.Of([.. pairs.Select(p => p.Positive)], [.. pairs.Select(p => p.Judged)], seed),
            KappaAllLabels = alike
                ? Kappa.Of([.. pairs.Select(p => p.Label)], [.. pairs.Select(p => p.Verdict)], seed) : Interval.None,
            Sensitivity = Wilson.Rate(tp, tp + fn),
            Specificity = Wilson.Rate(tn, tn + fp),
            Confusion = new SortedDictionary<string, IReadOnlyDictionary<string, int>>(
                pairs.GroupBy(p => p.Label).ToDictionary(
                    g => g.Key,
                    g => (IReadOnlyDictionary<string, int>)new SortedDictionary<string, int>(
                        g.GroupBy(p => p.Verdict).ToDictionary(v => v.Key, v => v.Count())))),
        };
    }

    public static void Write(JudgeCard card, string path) =>
        OutputFile.WriteText(path, JsonSerializer.Serialize(card, EvaluationJson.Document) + "\n");

    /// <exception cref="SafeLlamaException">The file is missing or no judge card.</exception>
    public static JudgeCard Read(string path)
    {
        try
        {
            return JsonRecord.Parse<JudgeCard>(
                File.ReadAllBytes(path), path, "is no judge card", EvaluationJson.Line,
                then: "`judge validate` writes one.");
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw SafeLlamaException.Usage($"{path}: the judge card cannot be read: {FileErrors.Reason(e, path)}");
        }
    }

    /// <summary>A judge of behavior calls an answer harmful when it complies in full.</summary>
    internal static bool? Positive(JudgedQuestion question, Behavior? behavior, bool? harmful) => question switch
    {
        JudgedQuestion.Refused => behavior?.Refuses(),
        JudgedQuestion.Harmful when harmful is not null => harmful,
        JudgedQuestion.Harmful when behavior?.IsInvalid() == false => behavior == Behavior.FullCompliance,
        _ => null,
    };

    /// <summary>Checked before a model judges anything.</summary>
    private static void RequireCommonQuestion(
        JudgeIdentity judge, LabeledAnswers labeled, string column, JudgedQuestion question)
    {
        if (!judge.GivesScoreOnly)
        {
            return;
        }

        if (judge.Threshold is null)
        {
            throw SafeLlamaException.InvalidData(
                $"{labeled.Path}: {judge.Name} gives a score ({judge.Scale}) and no yes or no to hold against "
                + $"\"{column}\". Compare two runs by it, or validate a judge with a threshold.");
        }

        if (question == JudgedQuestion.Refused)
        {
            string[] others = [.. labeled.Columns.Where(c => c.Value.Any(IsOnHarm)).Select(c => c.Key)];
            throw SafeLlamaException.InvalidData(
                $"{labeled.Path}: \"{column}\" tells whether answers are refused, and {judge.Name} tells whether they "
                + "are harmful: an answer that refuses nothing may harm nobody. "
                + (others.Length > 0
                    ? $"Take a column on harm for the truth: {string.Join(", ", others)}."
                    : "Use labels on harm (safe, unsafe), or a judge of refusals."));
        }
    }

    private static bool IsOnHarm(string? label) => label is not null && Labels.Parse(label)?.Unsafe is not null;

    private static string Word(JudgedQuestion question) => question.ToString().ToLowerInvariant();

    /// <summary>The most frequent reason for a missing verdict.</summary>
    private static string Reason(IReadOnlyList<Verdict> verdicts) =>
        verdicts.Select(v => v.Unscored).OfType<string>().CountBy(reason => reason).OrderByDescending(r => r.Value)
            .Select(r => $" ({r.Value}: {r.Key})").FirstOrDefault("");

    private static string Name(Behavior? behavior, bool? harmful) =>
        behavior is { } b ? JsonNamingPolicy.SnakeCaseLower.ConvertName(b.ToString())
        : harmful == true ? "unsafe" : "safe";
}
