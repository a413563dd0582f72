using System.Globalization;
using SafeLlama.Common;

namespace SafeLlama.Evaluation;

/// <summary>A condition under which a run fails: <c>over_refusal&gt;0.10</c>.</summary>
/// <remarks>
/// <code>[suite/]metric[.low|.high|.corrected][@judge]  (&gt; | &gt;= | &lt; | &lt;=)  number[%]</code>
/// Without a suite the row over all suites is meant, or that of the only one.
/// </remarks>
/// <param name="Text">As the user wrote it.</param>
/// <param name="Suite">Null for all suites.</param>
/// <param name="Metric">One of the metrics.</param>
/// <param name="Part"><c>value</c>, <c>low</c>, <c>high</c> or <c>corrected</c>.</param>
/// <param name="Judge">Null for the first judge that tells the metric.</param>
/// <param name="Operator">The comparison.</param>
/// <param name="Bound">What is compared with.</param>
public sealed record GateExpression(
    string Text, string? Suite, string Metric, string Part, string? Judge, string Operator, double Bound)
{
    private static readonly string[] Parts = ["value", "low", "high", "corrected"];

    /// <param name="Missed">The condition holds: the run fails.</param>
    /// <param name="Line">What was found, for the user.</param>
    public readonly record struct Outcome(bool Missed, string Line);

    /// <exception cref="SafeLlamaException">The text is no condition.</exception>
    public static GateExpression Parse(string text)
    {
        var at = text.IndexOfAny(['<', '>']);
        if (at <= 0)
        {
            throw Malformed(text, "there is no < or >");
        }

        var comparison = at + 1 < text.Length && text[at + 1] == '=' ? text[at..(at + 2)] : text[at..(at + 1)];
        var (name, number) = (text[..at].Trim(), text[(at + comparison.Length)..].Trim());
        var percent = number.EndsWith('%');
        if (!double.TryParse(
            percent ? number[..^1] : number, NumberStyles.Float, CultureInfo.InvariantCulture, out var bound)
            || !double.IsFinite(bound))
        {
            throw Malformed(text, $"\"{number}\" is no number");
        }

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

        if (name.Length == 0 || !Parts.Contains(part) || suite is "" || judge is "")
        {
            throw Malformed(text, $"\"{text[..at].Trim()}\" names no metric");
        }

        return new(text, suite, name, part, judge, comparison, percent ? bound / 100 : bound);
    }

    /// <summary>
    /// Holds the condition against a summary. A number that is missing misses the gate: it proves nothing.
    /// </summary>
    /// <exception cref="SafeLlamaException">The run has no such metric.</exception>
    public Outcome Check(EvaluationSummary summary)
    {
        var row = summary.Find(Metric, Suite, Judge) ?? throw SafeLlamaException.Usage(
            $"`FailIf` \"{Text}\": the run has no such metric; it has "
            + string.Join(", ", summary.Metrics.Select(m => $"{m.Suite}/{m.Metric}@{m.Judge}").Distinct()) + ".");
        var found = Part switch
        {
            "low" => row.Value.Low,
            "high" => row.Value.High,
            "corrected" => row.Corrected?.Value ?? double.NaN,
            _ => row.Value.Value,
        };
        var missed = double.IsNaN(found) || Operator switch
        {
            ">" => found > Bound,
            ">=" => found >= Bound,
            "<" => found < Bound,
            _ => found <= Bound,
        };
        var what = $"{row.Suite}/{row.Metric}{(Part == "value" ? "" : "." + Part)} is {SummaryMarkdown.Number(found)} "
            + $"{SummaryMarkdown.Limits(row.Value)}, n {row.N}, by {row.Judge}";
        return new(missed, missed ? $"Gate missed ({Text}): {what}." : $"Gate kept ({Text}): {what}.");
    }

    private static SafeLlamaException Malformed(string text, string reason) => SafeLlamaException.Usage(
        $"`FailIf` \"{text}\": {reason}; expected [suite/]metric[.low|.high|.corrected][@judge] and a bound, "
        + "such as \"over_refusal>0.10\" or \"xstest/over_refusal.high>15%\".");
}
