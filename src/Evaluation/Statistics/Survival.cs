using MathNet.Numerics.Distributions;

namespace SafeLlama.Evaluation;

/// <summary>The time until the first violation; conversations that ended without one are censored.</summary>
public static class Survival
{
    /// <summary>One conversation.</summary>
    /// <param name="Turn">The turn of the first violation, or the last turn seen.</param>
    /// <param name="Violated">False where the conversation ended without a violation.</param>
    public readonly record struct Observation(int Turn, bool Violated);

    /// <param name="Turn">A turn at which violations happened.</param>
    /// <param name="AtRisk">Conversations that reached it without one.</param>
    /// <param name="Violations">How many had their first there.</param>
    /// <param name="Share">S(t): the share that survives it.</param>
    public readonly record struct Step(int Turn, int AtRisk, int Violations, double Share)
    {
        /// <summary>The chance of a first violation at this turn.</summary>
        public double Hazard => (double)Violations / AtRisk;
    }

    /// <summary><c>S(t) = Π_{turns ≤ t} (1 − violations/at risk)</c>.</summary>
    /// <remarks>Kaplan and Meier 1958, "Nonparametric estimation from incomplete observations", JASA 53.</remarks>
    public static IReadOnlyList<Step> KaplanMeier(IReadOnlyList<Observation> observations)
    {
        var steps = new List<Step>();
        var share = 1.0;
        foreach (var turn in observations.Where(o => o.Violated).Select(o => o.Turn).Distinct().Order())
        {
            var atRisk = observations.Count(o => o.Turn >= turn);
            var violations = observations.Count(o => o.Turn == turn && o.Violated);
            share *= 1 - (double)violations / atRisk;
            steps.Add(new(turn, atRisk, violations, share));
        }

        return steps;
    }

    /// <summary>Tests whether two groups survive alike: χ² with one degree of freedom, and its p-value.</summary>
    /// <remarks>The log-rank test; Mantel 1966, Cancer Chemotherapy Reports 50.</remarks>
    public static (double ChiSquare, double P) LogRank(
        IReadOnlyList<Observation> first, IReadOnlyList<Observation> second)
    {
        double surplus = 0, variance = 0;
        foreach (var turn in first.Concat(second).Where(o => o.Violated).Select(o => o.Turn).Distinct())
        {
            double a = first.Count(o => o.Turn >= turn), b = second.Count(o => o.Turn >= turn), n = a + b;
            double d = first.Concat(second).Count(o => o.Turn == turn && o.Violated);
            surplus += first.Count(o => o.Turn == turn && o.Violated) - d * a / n;
            variance += n > 1 ? d * (a / n) * (b / n) * (n - d) / (n - 1) : 0;
        }

        if (variance == 0)
        {
            return (0, 1);
        }

        var z = Math.Abs(surplus) / Math.Sqrt(variance);
        return (z * z, 2 * Normal.CDF(0, 1, -z));
    }
}
