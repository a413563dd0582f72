namespace SafeLlama.Evaluation;

/// <summary>Compares two judges of one run on the same answers.</summary>
/// <param name="Suite">The suite, or <c>all</c>.</param>
/// <param name="Question">What is asked: refused, of all prompts; harmful, of unsafe ones.</param>
/// <param name="First">One judge's name.</param>
/// <param name="FirstHash">Its identity.</param>
/// <param name="Second">The other judge's name.</param>
/// <param name="SecondHash">Its identity.</param>
public sealed record JudgePair(
    string Suite, JudgedQuestion Question, string First, string FirstHash, string Second, string SecondHash)
{
    /// <summary>Prompts whose first answer both judges judged.</summary>
    public required int N { get; init; }

    /// <summary>Answers on which both say yes.</summary>
    public required int Both { get; init; }

    /// <summary>Answers on which the first judge alone says yes.</summary>
    public required int OnlyFirst { get; init; }

    /// <summary>Answers on which the second judge alone says yes.</summary>
    public required int OnlySecond { get; init; }

    /// <summary>McNemar's exact test of whether one says yes more often, two-sided.</summary>
    public double P => McNemar.Exact(OnlyFirst, OnlySecond);

    /// <summary>Adjusted over all pairs of the run.</summary>
    public required double PHolm { get; init; }

    /// <summary>The share of yes by the first judge.</summary>
    public double FirstRate => (double)(Both + OnlyFirst) / N;

    /// <summary>The share of yes by the second judge.</summary>
    public double SecondRate => (double)(Both + OnlySecond) / N;
}

/// <summary>One judge's conclusion about two runs.</summary>
/// <param name="Suite">The suite, or <c>all</c>.</param>
/// <param name="Question">Harmful, of unsafe prompts; refused, of safe ones.</param>
/// <param name="Candidate">The run that is compared with the baseline.</param>
/// <param name="Judge">The judge's name.</param>
/// <param name="JudgeHash">Its identity.</param>
/// <param name="N">Prompts whose first answer the judge judged in both runs.</param>
/// <param name="OnlyBaseline">Prompts on which the baseline alone is a yes.</param>
/// <param name="OnlyCandidate">Prompts on which the candidate alone is a yes.</param>
public sealed record JudgeConclusion(
    string Suite, JudgedQuestion Question, string Candidate, string Judge, string JudgeHash, int N, int OnlyBaseline,
    int OnlyCandidate)
{
    /// <summary>McNemar's exact test, two-sided; not adjusted, since the judges judge the same answers.</summary>
    public double P => McNemar.Exact(OnlyBaseline, OnlyCandidate);

    /// <summary>Candidate less baseline.</summary>
    public double Difference => (double)(OnlyCandidate - OnlyBaseline) / N;

    public int Sign => Math.Sign(OnlyCandidate - OnlyBaseline);

    /// <summary>The judge's conclusion in words.</summary>
    public string Word => P >= ComparisonText.Level ? "no change beyond chance" : Sign > 0 ? "rose" : "fell";
}

/// <summary>Compares the verdicts of several judges on the same answers.</summary>
internal static class JudgeConclusions
{
    /// <summary>Every pair of a run's judges on every question that both answer, suite by suite.</summary>
    public static IReadOnlyList<JudgePair> Pairs(IReadOnlyList<(JudgeIdentity Judge, IReadOnlyList<Outcome> Of)> judges)
    {
        var pairs = new List<JudgePair>();
        foreach (var question in Enum.GetValues<JudgedQuestion>())
        {
            for (var i = 0; i < judges.Count; i++)
            {
                foreach (var (other, outcomes) in judges.Skip(i + 1))
                {
                    pairs.AddRange(Pairs(question, judges[i].Judge, judges[i].Of, other, outcomes));
                }
            }
        }

        var adjusted = Holm.Adjust([.. pairs.Select(p => p.P)]);
        return [.. pairs.Select((pair, i) => pair with { PHolm = adjusted[i] })];
    }

    /// <summary>The conclusion of each judge of two runs, where several judges answer the same question.</summary>
    public static IEnumerable<JudgeConclusion> Of(
        RunFolder baseline, RunFolder candidate, IReadOnlyList<RunManifest.JudgeEntry> shared)
    {
        var all =
            from question in Enum.GetValues<JudgedQuestion>()
            from judge in shared
            let before = Told(question, baseline.Outcomes(judge.Hash), p => Concerns(question, p))
            let after = Told(question, candidate.Outcomes(judge.Hash), p => Concerns(question, p))
            from suite in Suites(before.Keys.Select(p => p.Suite))
            let both = before.Where(b => IsIn(suite, b.Key) && after.ContainsKey(b.Key))
                .Select(b => (Before: b.Value, After: after[b.Key])).ToArray()
            where both.Length > 0
            let lost = both.Count(b => b.Before && !b.After)
            let won = both.Count(b => !b.Before && b.After)
            select new JudgeConclusion(
                suite, question, candidate.Name, judge.Identity.Name, judge.Hash, both.Length, lost, won);
        return all.GroupBy(c => (c.Question, c.Suite)).Where(judges => judges.Skip(1).Any()).SelectMany(c => c);
    }

    /// <summary>A line for each change that judges see in opposite directions.</summary>
    public static IEnumerable<string> Disagreements(IReadOnlyList<JudgeConclusion> conclusions) =>
        conclusions.GroupBy(c => (c.Candidate, c.Suite, c.Question))
            .Where(g => g.Any(c => c.Sign > 0) && g.Any(c => c.Sign < 0))
            .Select(g => $"Judges disagree in sign on {Name(g.Key.Question)} answers of {g.Key.Suite} in "
                + $"{g.Key.Candidate}: " + string.Join(", ", g.Select(c =>
                    $"{c.Judge} {ComparisonText.Signed(c.Difference)} (p {ComparisonText.P(c.P)})")) + ".");

    public static string Name(JudgedQuestion question) => question.ToString().ToLowerInvariant();

    private static IEnumerable<JudgePair> Pairs(
        JudgedQuestion question, JudgeIdentity first, IReadOnlyList<Outcome> ofFirst, JudgeIdentity second,
        IReadOnlyList<Outcome> ofSecond)
    {
        // Harm is compared on unsafe prompts only, refusal on all prompts.
        bool Asked(SuitePrompt p) => question == JudgedQuestion.Refused || Concerns(question, p);
        var (a, b) = (Told(question, ofFirst, Asked), Told(question, ofSecond, Asked));
        foreach (var suite in Suites(a.Keys.Select(p => p.Suite)))
        {
            var both = a.Where(x => IsIn(suite, x.Key) && b.ContainsKey(x.Key))
                .Select(x => (First: x.Value, Second: b[x.Key])).ToArray();
            if (both.Length > 0)
            {
                yield return new(suite, question, first.Name, first.Hash, second.Name, second.Hash)
                {
                    N = both.Length,
                    Both = both.Count(x => x.First && x.Second),
                    OnlyFirst = both.Count(x => x.First && !x.Second),
                    OnlySecond = both.Count(x => !x.First && x.Second),
                    PHolm = 1,
                };
            }
        }
    }

    /// <summary>The judge's answer for the first response to each prompt, without prompts that it left open.</summary>
    private static Dictionary<SuitePrompt, bool> Told(
        JudgedQuestion question, IReadOnlyList<Outcome> outcomes, Func<SuitePrompt, bool> asked) =>
        outcomes.Where(o => o.Response.Sample == 0 && asked(o.Prompt) && !o.IsInvalid)
            .Select(o => (o.Prompt, Yes: JudgeValidation.Positive(question, o.Verdict.Behavior, o.Verdict.Unsafe)))
            .Where(o => o.Yes is not null).ToDictionary(o => o.Prompt, o => o.Yes!.Value);

    /// <summary>Harm concerns unsafe prompts, over-refusal concerns safe ones.</summary>
    private static bool Concerns(JudgedQuestion question, SuitePrompt prompt) =>
        (prompt.Label is PromptLabel.Unsafe or PromptLabel.Contrast) == (question == JudgedQuestion.Harmful);

    private static string[] Suites(IEnumerable<string> suites)
    {
        string[] all = [.. suites.Distinct()];
        return all.Length > 1 ? [.. all, MetricTable.AllSuites] : all;
    }

    private static bool IsIn(string suite, SuitePrompt prompt) =>
        suite == MetricTable.AllSuites || prompt.Suite == suite;
}
