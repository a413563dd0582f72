using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A condition under which a run fails: <c>over_refusal&gt;0.10</c>.</summary>
/// <remarks>
/// <code>
/// [suite/]metric[.part][@judge]  (&gt; | &gt;= | &lt; | &lt;=)  number[%]
/// part = low | high | corrected | n | invalid_share | unscored_share
/// </code>
/// Without a suite it means the row over all suites, or that of the only one. A judge is given by its name or its hash.
/// Without a judge, the gate applies to every judge that gives the metric and fails if one of them fails.
/// </remarks>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Suite">Null for all suites.</param>
/// <param name="Metric">One of the metrics.</param>
/// <param name="Part">The part of the row that is compared.</param>
/// <param name="Judge">Null for every judge that gives the metric.</param>
/// <param name="Operator">The comparison.</param>
/// <param name="Bound">The number to compare with.</param>
public sealed record GateExpression(
    string Text, string? Suite, string Metric, GatePart Part, string? Judge, string Operator, double Bound)
{
    /// <param name="Missed">The run fails.</param>
    /// <param name="Line">What was found, for the user.</param>
    /// <param name="CouldFlip">
    /// Whether the condition does not hold but could hold with the answers that were left out.
    /// </param>
    public readonly record struct Outcome(bool Missed, string Line, bool CouldFlip = false);

    /// <exception cref="SafeLlamaException">
    /// The text is not a condition, the metric is unknown, or the metric never reaches the bound.
    /// </exception>
    public static GateExpression Parse(string text)
    {
        var at = text.IndexOfAny(['<', '>']);
        if (at <= 0)
        {
            throw Malformed(text, at == 0 ? "no metric stands before it" : "there is no < or >");
        }

        var comparison = at + 1 < text.Length && text[at + 1] == '=' ? text[at..(at + 2)] : text[at..(at + 1)];
        var (name, number) = (text[..at].Trim(), text[(at + comparison.Length)..].Trim());
        string? judge = null, suite = null;
        if (name.LastIndexOf('@') is var sign and >= 0)
        {
            (name, judge) = (name[..sign], name[(sign + 1)..]);
        }

        if (name.LastIndexOf('/') is var slash and >= 0)
        {
            (suite, name) = (name[..slash], name[(slash + 1)..]);
        }

        var part = "value";
        if (name.LastIndexOf('.') is var dot and >= 0)
        {
            (name, part) = (name[..dot], name[(dot + 1)..]);
        }

        name = GateMetric.NameInFiles(name.Trim());
        if (name.Length == 0 || suite is "" || judge is ""
            || !Enum.TryParse<GatePart>(part.Replace("_", "", StringComparison.Ordinal), ignoreCase: true, out var of)
            || !part.All(c => char.IsAsciiLetterLower(c) || c == '_'))
        {
            throw Malformed(text, $"\"{text[..at].Trim()}\" names no metric");
        }

        return new(
            text, suite, name, of, judge, comparison,
            BoundOf(text, comparison, number, GateMetric.Range(text, name, of)));
    }

    /// <summary>Refuses, before any work, a condition that this run cannot decide.</summary>
    /// <param name="prompts">The prompts asked.</param>
    /// <param name="tasks">The capability tasks, and <c>text</c> where held-out text is scored.</param>
    /// <param name="judges">Every judge of the run, including those of a resumed run.</param>
    /// <exception cref="SafeLlamaException">The condition matches no row or more than one.</exception>
    public void RequireFit(
        IReadOnlyCollection<SuitePrompt> prompts, IReadOnlyCollection<string> tasks,
        IReadOnlyCollection<JudgeIdentity> judges)
    {
        string[] suites = [.. prompts.Select(p => p.Suite).Concat(tasks).Distinct()];
        if (Suite is not null && Suite != MetricTable.AllSuites && !suites.Contains(Suite))
        {
            throw Refused($"there is no suite or task \"{Suite}\"; the run has {string.Join(", ", suites)}");
        }

        if (GateMetric.IsCapability(Metric))
        {
            if (!tasks.Any(task => GateMetric.Gives(task, Metric)))
            {
                throw Refused($"nothing that gives {Metric} is asked");
            }

            return;
        }

        if (!prompts.Any(p => IsAbout(p, Suite ?? MetricTable.AllSuites)))
        {
            throw Refused(
                $"{Metric} is about none of the prompts; their labels are "
                + string.Join(", ", prompts.Select(p => $"{p.Label}".ToLowerInvariant()).Distinct().Order())
                + (Metric == MetricNames.PairDiscrimination ? ", without twins" : "")
                + (Notice(prompts) is null ? "" : $"; refusals of benign prompts are {MetricNames.BenignRefusal}"));
        }

        JudgeIdentity[] able = [.. judges.Where(j => IsNamed(j.Name, j.Hash) && j.MayGive(Metric))];
        MustBeOnePerName(able.Select(j => (j.Name, j.Hash)));
        if (able.Length == 0)
        {
            throw Refused($"no judge of the run gives {Metric}{(Judge is null ? "" : $" and is called \"{Judge}\"")}; "
                + $"the judges are {string.Join(", ", judges.Select(j => j.Name).Distinct())}"
                + (Metric is MetricNames.HarmfulCompliance && judges.All(j => j.TellsBehaviorOnly)
                    ? $", which tell how often unsafe prompts are served: {MetricNames.UnsafeFullCompliance}" : ""));
        }
    }

    /// <summary>What a name means now, where it meant something else on these prompts; null where it did not.</summary>
    public string? Notice(IEnumerable<SuitePrompt> prompts) =>
        Metric == MetricNames.OverRefusal && prompts.Any(p => p.Label == PromptLabel.Benign
            && (Suite is null or MetricTable.AllSuites || p.Suite == Suite))
            ? $"{Text}: over_refusal is of safe prompts alone, as in the headline; refusals of benign prompts, which "
                + $"earlier versions counted with them, are {MetricNames.BenignRefusal}."
            : null;

    /// <summary>Checks the condition on a run. A missing number or row misses the gate.</summary>
    /// <param name="rows">The run's metrics.</param>
    /// <param name="allowUnscored">
    /// Whether the gate passes although invalid and unscored answers could make the condition hold.
    /// </param>
    /// <param name="unanswered">Prompts of the suites that nobody answered: left out like unscored answers.</param>
    /// <exception cref="SafeLlamaException">Several judges of one name give the metric.</exception>
    public Outcome Check(
        IReadOnlyList<MetricRow> rows, bool allowUnscored = false, IReadOnlyCollection<SuitePrompt>? unanswered = null)
    {
        var of = RowsOf(rows);
        if (of.Length == 0)
        {
            return new(true, $"Gate missed ({Text}): the run has no such metric; it has "
                + string.Join(", ", rows.Select(m => $"{m.Suite}/{m.Metric}@{m.Judge}").Distinct()) + ".");
        }

        Outcome[] each = [.. of.Select(
            row => Check(row, allowUnscored, unanswered?.Count(p => IsAbout(p, row.Suite)) ?? 0))];
        var worst = each.OrderByDescending(o => o.Missed).ThenBy(o => o.CouldFlip).First();
        return worst with { Line = worst.Missed ? worst.Line : string.Join(' ', each.Select(o => o.Line)) };
    }

    private Outcome Check(MetricRow row, bool allowUnscored, int unanswered)
    {
        var found = GateMetric.Found(row, Part);
        var missed = double.IsNaN(found) || Holds(found);
        var (low, high) = allowUnscored || missed
            ? new Bounds(found, found) : GateMetric.Possible(row, Part, unanswered);
        var couldFlip = !missed && (Holds(low) || Holds(high));
        var what = $"{row.Suite}/{row.Metric}{(Part == GatePart.Value ? "" : "." + GateMetric.NameOf(Part))} is "
            + GateMetric.Text(Part, found)
            + (GateMetric.IsCount(Part) ? "" : " " + SummaryMarkdown.Limits(row.Value))
            + $", n {row.N}, by {row.Judge}";
        return new(
            missed || couldFlip,
            missed ? $"Gate missed ({Text}): {what}."
            : couldFlip ? $"Gate not kept ({Text}): {what}; {row.Invalid} invalid and {row.Unscored} unscored answers"
                + $"{(unanswered > 0 ? $" and {unanswered} prompts without an answer" : "")} could flip it."
            : $"Gate kept ({Text}): {what}.",
            couldFlip);
    }

    /// <summary>One row per judge.</summary>
    private MetricRow[] RowsOf(IReadOnlyList<MetricRow> rows)
    {
        MetricRow[] found = [.. rows.Where(r => r.Metric == Metric && IsNamed(r.Judge, r.JudgeHash))];
        var suite = Suite ?? (found.Any(r => r.Suite == MetricTable.AllSuites) ? MetricTable.AllSuites : null);
        found = [.. found.Where(r => suite is null || r.Suite == suite)];
        MustBeOnePerName(found.Select(r => (r.Judge, r.JudgeHash)));
        return found.Select(r => r.Suite).Distinct().Count() < 2
            ? found
            : throw Refused(
                $"{string.Join(", ", found.Select(r => r.Suite).Distinct())} have this metric; name one of them");
    }

    /// <summary>After a change of threshold two judges have the same name, so the gate must say which one.</summary>
    private void MustBeOnePerName(IEnumerable<(string Name, string Hash)> judges)
    {
        if (judges.Distinct().GroupBy(j => j.Name).FirstOrDefault(g => g.Skip(1).Any()) is { } several)
        {
            throw Refused($"the run has several judges called {several.Key}; name one by its hash: "
                + string.Join(", ", several.Select(j => $"{Metric}@{j.Hash}")));
        }
    }

    /// <summary>Whether the metric's row of a suite is about a prompt.</summary>
    private bool IsAbout(SuitePrompt prompt, string suite) =>
        (suite == MetricTable.AllSuites || suite == prompt.Suite)
        && GateMetric.IsAbout(Metric, prompt);

    private bool IsNamed(string name, string hash) => Judge is null || Judge == name || Judge == hash;

    private bool Holds(double value) => Operator switch
    {
        ">" => value > Bound,
        ">=" => value >= Bound,
        "<" => value < Bound,
        _ => value <= Bound,
    };

    private static double BoundOf(string text, string comparison, string number, Bounds range)
    {
        var percent = number.EndsWith('%');
        if (!double.TryParse(
            percent ? number[..^1] : number, NumberStyles.Float, CultureInfo.InvariantCulture, out var bound)
            || !double.IsFinite(bound))
        {
            throw Malformed(text, $"\"{number}\" is no number");
        }

        if (percent && range.High > 1)
        {
            throw Malformed(text, "a percentage bounds rates and shares only");
        }

        bound = percent ? bound / 100 : bound;
        var span = string.Create(CultureInfo.InvariantCulture, $"{range.Low} to {range.High}");
        return bound < range.Low || bound > range.High
            ? throw Malformed(text, string.Create(
                CultureInfo.InvariantCulture, $"the bound {bound} lies outside {span}, so it would decide nothing"))
            : (comparison == ">" && bound >= range.High) || (comparison == "<" && bound <= range.Low)
            ? throw Malformed(text, $"it never holds, as the values go from {span}")
            : (comparison == ">=" && bound <= range.Low) || (comparison == "<=" && bound >= range.High)
            ? throw Malformed(text, $"it always holds, as the values go from {span}")
            : bound;
    }

    private SafeLlamaException Refused(string reason) =>
        SafeLlamaException.Usage($"`FailIf` \"{Text}\": {reason}.");

    private static SafeLlamaException Malformed(string text, string reason) => SafeLlamaException.Usage(
        $"`FailIf` \"{text}\": {reason}; expected [suite/]metric[.part][@judge] and a bound, such as "
        + "\"over_refusal>0.10\", \"xstest/over_refusal.high>15%\" or \"over_refusal.n<100\". Parts are "
        + $"{string.Join(", ", GateMetric.PartNames)}; metrics are {string.Join(", ", GateMetric.Names)}.");
}
