using MathNet.Numerics.Distributions;
using SafeLlama.Common;
using SafeLlama.Evaluation;

namespace SafeLlama.Study;

/// <summary>Judges the claims of a class by Student's t over seeds; a student's difference is one
/// observation.</summary>
/// <remarks>
/// All students ask the same prompts, so the limits speak of other seeds and of these prompts alone. Verdicts are named
/// as those of <see cref="ClaimJudge"/>; below the recipe's evidence every claim stays open.
/// </remarks>
/// <param name="results">One for each seed.</param>
/// <param name="prompts">How many each metric asks.</param>
internal sealed class ClassJudge(IReadOnlyList<ClassResult> results, IReadOnlyDictionary<string, int> prompts)
{
    /// <summary>The level of every test, after adjustment.</summary>
    private const double Level = 0.05;

    public IReadOnlyList<ClaimOutcome> Judge(StudyRecipe recipe)
    {
        var outcomes = recipe.Claims.Select(WithInvalid).ToList();
        var adjusted = Holm.Adjust([.. outcomes.Select(o => o.P)]);
        return [.. outcomes.Select((outcome, i) => Weighed(
            outcome with { AdjustedP = double.IsNaN(adjusted[i]) ? null : adjusted[i] }, recipe.Evidence!.Seeds))];
    }

    /// <summary>The mean with Student's limits, which end where the range does; where all values agree, the bound on
    /// what n could miss.</summary>
    internal static Interval Limits(IReadOnlyList<double> values, Bounds bounds, double confidence)
    {
        var spread = SeedSpread.Of(values, confidence);
        return spread.Seeds >= 2 && double.IsNaN(spread.Mean.Low)
            ? NoVariation.Around(spread.Mean.Value, spread.Seeds, bounds, confidence)
            : spread.Mean with
            {
                Low = Math.Max(spread.Mean.Low, bounds.Low),
                High = Math.Min(spread.Mean.High, bounds.High),
            };
    }

    private static ClaimOutcome Weighed(ClaimOutcome outcome, int least)
    {
        if (outcome.Replicates < least)
        {
            return outcome with
            {
                Verdict = ClaimVerdict.CannotTell,
                Note = $"{outcome.Note}; {Counted.Of(outcome.Replicates, "seed")}, where {least} are asked for"
                    + (outcome.Verdict == ClaimVerdict.CannotTell
                        ? "" : $" (by itself: {ReportText.Verdict(outcome.Verdict)})"),
            };
        }

        return outcome.Verdict == ClaimVerdict.Reproduced && outcome.AdjustedP >= Level
            ? outcome with
            {
                Verdict = ClaimVerdict.Partly,
                Note = $"{outcome.Note}; p over all claims of the class is {ReportText.P(outcome.AdjustedP.Value)}",
            }
            : outcome;
    }

    /// <summary>The verdict without invalid answers, unless some way of counting them changes it.</summary>
    private ClaimOutcome WithInvalid(Claim claim)
    {
        var told = Decide(claim, double.NaN, double.NaN);
        var invalid = results.Sum(r =>
            r.Counts[claim.Arm][claim.Metric].Invalid + r.Counts[claim.Baseline][claim.Metric].Invalid);
        (double Arm, double Baseline)[] countings = invalid == 0 ? [] : [(0, 0), (1, 1), (0, 1), (1, 0)];
        return countings.All(c => Decide(claim, c.Arm, c.Baseline).Verdict == told.Verdict) ? told : told with
        {
            Verdict = ClaimVerdict.CannotTell,
            Note = $"{told.Note}; {invalid} answers are none, and counted they change the verdict (without them: "
                + $"{ReportText.Verdict(told.Verdict)})",
        };
    }

    private ClaimOutcome Decide(Claim claim, double inArm, double inBaseline)
    {
        double[] differences =
        [
            .. results.Select(r => Rate(r, claim.Arm, claim.Metric, inArm)
                - Rate(r, claim.Baseline, claim.Metric, inBaseline)).Where(double.IsFinite),
        ];
        var confidence = claim.Test == ClaimTest.Equivalent ? 1 - 2 * Level : Interval.Level;
        var found = Limits(differences, Bounds.Difference, confidence);
        var (verdict, note) = claim.Test switch
        {
            ClaimTest.Lower => (VerdictRule.Beyond(-found.High, -found.Low, claim.Threshold), "lower by"),
            ClaimTest.Higher => (VerdictRule.Beyond(found.Low, found.High, claim.Threshold), "higher by"),
            ClaimTest.Equivalent => (VerdictRule.Within(found, claim.Threshold), "within ±"),
            _ => throw new ArgumentException($"A class does not test {claim.Test}.", nameof(claim)),
        };
        return new(
            claim, verdict, found, confidence, P(claim, differences), prompts[claim.Metric], differences.Length,
            $"{note} {ReportText.Points(claim.Threshold)} points"
                + (claim.Test == ClaimTest.Equivalent ? "" : " or more")
                + (differences.Length == results.Count ? ""
                    : $"; {results.Count - differences.Length} of {Counted.Of(results.Count, "seed")} without a "
                        + "valid answer to it, left out"));
    }

    /// <summary>One-sided against the threshold, for equivalence the larger of two; where all agree, by the bound on
    /// what n could miss. NaN below two seeds.</summary>
    private static double P(Claim claim, double[] differences)
    {
        var spread = SeedSpread.Of(differences);
        if (spread.Seeds < 2)
        {
            return double.NaN;
        }

        var (mean, error) = (spread.Mean.Value, spread.BetweenSeeds / Math.Sqrt(spread.Seeds));

        // From the mean to the threshold, and to the end of the range on the same side.
        double Tail(double distance, double room) => error > 0
            ? StudentT.CDF(0, 1, spread.Seeds - 1, -distance / error) : NoVariation.P(distance / room, spread.Seeds);
        double Below(double limit) => Tail(limit - mean, Bounds.Difference.High - mean);
        double Above(double limit) => Tail(mean - limit, mean - Bounds.Difference.Low);
        return claim.Test switch
        {
            ClaimTest.Lower => Below(-claim.Threshold),
            ClaimTest.Higher => Above(claim.Threshold),
            _ => Math.Max(Below(claim.Threshold), Above(-claim.Threshold)),
        };
    }

    private double Rate(ClassResult result, string arm, string metric, double invalidAs)
    {
        var count = result.Counts[arm][metric];
        var asked = prompts[metric];
        return double.IsNaN(invalidAs) ? (double)count.Yes / (asked - count.Invalid)
            : (count.Yes + invalidAs * count.Invalid) / asked;
    }
}
