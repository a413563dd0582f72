using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Writes findings in words and numbers.</summary>
public static class FindingText
{
    /// <summary>"41 [25–70]", "not reached [300 or more]", "+3.1 [−1 to +7] points".</summary>
    public static string Of(Finding finding) =>
        double.IsNaN(finding.Estimate.Value) ? finding.Without : Of(finding.Estimate, finding.Unit);

    public static string Of(Estimate estimate, FindingUnit unit)
    {
        if (double.IsNaN(estimate.Value))
        {
            return "unknown";
        }

        var value = double.IsInfinity(estimate.Value) ? "not reached" : Number(estimate.Value, unit);
        var limits = (double.IsNaN(estimate.Low), double.IsInfinity(estimate.Low), double.IsInfinity(estimate.High))
            switch
        {
            (true, _, _) => "",
            (_, true, _) => " [never reached]",
            (_, _, true) => $" [{Number(estimate.Low, unit)} or more]",
            _ => $" [{Number(estimate.Low, unit)} to {Number(estimate.High, unit)}]",
        };
        return value + limits + (unit == FindingUnit.Share ? " points" : "");
    }

    private static string Number(double value, FindingUnit unit) => unit switch
    {
        FindingUnit.Dose => value.ToString("0"),
        FindingUnit.Share => (100 * value).ToString("+0.#;−0.#;0"),
        FindingUnit.Rate => Common.Percent.Of(value),
        FindingUnit.Time => value.ToString("0.#"),
        FindingUnit.Probability => ReportText.P(value),
        _ => value.ToString("0.##;−0.##;0"),
    };
}
