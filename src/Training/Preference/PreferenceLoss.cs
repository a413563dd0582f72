namespace SafeLlama.Training;

/// <summary>How likely an answer is.</summary>
/// <param name="Sum">Σ log p of its tokens by the policy, in nats.</param>
/// <param name="Count">Its tokens.</param>
/// <param name="Reference">Σ log p of its tokens by the reference; 0 where there is none.</param>
public readonly record struct AnswerLikelihood(double Sum, int Count, double Reference = 0)
{
    /// <summary>log p of the policy over that of the reference, of the answer or of its mean token.</summary>
    public double LogRatio(bool perToken) => (Sum - Reference) / (perToken ? Count : 1);
}

/// <summary>The loss of one answer.</summary>
/// <param name="Slope">∂loss/∂Σ log p of this answer.</param>
/// <param name="Reward">What the policy implies: β times its log-ratio.</param>
public readonly record struct AnswerLoss(double Slope, double Reward);

/// <summary>The losses of preference tuning, each a function of a few sums of log-probabilities.</summary>
/// <remarks>
/// <code>
/// r        = Σ_t log π(y_t) − Σ_t log ρ(y_t)              over an answer's tokens; means where normalized by length
/// h        = r_chosen − r_rejected
/// dpo      −(1 − ε) log σ(βh) − ε log σ(−βh)              ∂/∂h = −β ((1 − ε) σ(−βh) − ε σ(βh))
/// hinge    max(0, 1 − βh)                                 ∂/∂h = −β where βh &lt; 1
/// ipo      (h − 1/2β)²                                    ∂/∂h = 2 (h − 1/2β)
/// simpo    −log σ(βh − γ), no ρ                           ∂/∂h = −β σ(γ − βh)
/// orpo     −β log σ(o), no ρ                              o = logit p_chosen − logit p_rejected, p = exp(mean log π)
/// kto      w (1 − σ(±β (r − z)))                          ∂/∂r = ∓w β σ(…) (1 − σ(…)); z has no gradient
/// </code>
/// So the gradient is that of the ordinary loss of each answer, times one number.
/// </remarks>
public static class PreferenceLoss
{
    /// <summary>log p closer to 0 than this is taken to be here: a certain answer has infinite odds.</summary>
    private const double Certain = -1e-12;

    /// <summary>A wanted answer over an unwanted one. Of ORPO this is the odds-ratio term alone.</summary>
    /// <returns>The pair's loss, and each answer's slope and reward.</returns>
    public static (double Loss, AnswerLoss Chosen, AnswerLoss Rejected) Pair(
        PreferenceSettings s, AnswerLikelihood chosen, AnswerLikelihood rejected)
    {
        var perToken = s.LengthNormalization;
        var (c, r) = (chosen.LogRatio(perToken), rejected.LogRatio(perToken));
        var (h, b) = (c - r, s.Beta);
        var (loss, dc, dr) = s.Objective switch
        {
            Objective.Dpo => Slopes(
                (-(1 - s.LabelSmoothing) * LogSigmoid(b * h)) - (s.LabelSmoothing * LogSigmoid(-b * h)),
                -b * (((1 - s.LabelSmoothing) * Sigmoid(-b * h)) - (s.LabelSmoothing * Sigmoid(b * h)))),
            Objective.Hinge => Slopes(Math.Max(0, 1 - (b * h)), b * h < 1 ? -b : 0),
            Objective.Ipo => Slopes(Math.Pow(h - (1 / (2 * b)), 2), 2 * (h - (1 / (2 * b)))),
            Objective.Simpo => Slopes(-LogSigmoid((b * h) - s.Gamma), -b * Sigmoid(s.Gamma - (b * h))),
            Objective.Orpo => OddsRatio(b, c, r),
            _ => throw new ArgumentOutOfRangeException(nameof(s), s.Objective, "not a loss of pairs"),
        };
        return (
            loss,
            new(dc / (perToken ? chosen.Count : 1), b * c),
            new(dr / (perToken ? rejected.Count : 1), b * r));
    }

    /// <summary>One answer, wanted or not, as KTO has it.</summary>
    /// <param name="point">z, from which gains and losses are counted.</param>
    public static (double Loss, AnswerLoss Answer) Single(
        PreferenceSettings s, AnswerLikelihood answer, bool desirable, double point)
    {
        var ratio = answer.LogRatio(perToken: false);
        var (weight, sign) = desirable ? (s.DesirableWeight, 1) : (s.UndesirableWeight, -1);
        var gain = Sigmoid(sign * s.Beta * (ratio - point));
        return (weight * (1 - gain), new(-sign * weight * s.Beta * gain * (1 - gain), s.Beta * ratio));
    }

    /// <summary>1 / (1 + e^−x).</summary>
    public static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>log σ(x) without overflow.</summary>
    public static double LogSigmoid(double x) => Math.Min(0, x) - Log1P(Math.Exp(-Math.Abs(x)));

    private static (double Loss, double Chosen, double Rejected) Slopes(double loss, double slope) =>
        (loss, slope, -slope);

    private static (double Loss, double Chosen, double Rejected) OddsRatio(double lambda, double c, double r)
    {
        (c, r) = (Math.Min(c, Certain), Math.Min(r, Certain));
        var odds = c - r - (LogOneMinusExp(c) - LogOneMinusExp(r));
        var slope = -lambda * Sigmoid(-odds);

        // ∂ logit(e^x)/∂x = 1 / (1 − e^x).
        return (-lambda * LogSigmoid(odds), slope / -ExpMinusOne(c), -slope / -ExpMinusOne(r));
    }

    /// <summary>log(1 − e^x) for x below 0.</summary>
    private static double LogOneMinusExp(double x) =>
        x > -0.6 ? Math.Log(-ExpMinusOne(x)) : Log1P(-Math.Exp(x));

    /// <summary>e^x − 1, exact near 0, where the difference would lose its digits.</summary>
    private static double ExpMinusOne(double x) =>
        x < -1 ? Math.Exp(x) - 1 : 2 * Math.Exp(x / 2) * Math.Sinh(x / 2);

    /// <summary>log(1 + x), exact near 0: x times log(u)/(u − 1), u = 1 + x as it is rounded (Kahan).</summary>
    private static double Log1P(double x)
    {
        var u = 1 + x;
        return u == 1 ? x : Math.Log(u) * x / (u - 1);
    }
}
