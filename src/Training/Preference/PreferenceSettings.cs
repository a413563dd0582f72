using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>How a run learns from preferences, every value resolved.</summary>
/// <param name="Objective">The loss.</param>
public sealed record PreferenceSettings(Objective Objective)
{
    /// <summary>β: how strongly the margin counts; ORPO's λ.</summary>
    public double Beta { get; init; } = DefaultBeta(Objective);

    /// <summary>DPO: the share of pairs that are taken to be labeled the wrong way around.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>SimPO: the margin that is asked for.</summary>
    public double Gamma { get; init; } = 0.5;

    /// <summary>KTO: the weight of wanted answers.</summary>
    public double DesirableWeight { get; init; } = 1;

    /// <summary>KTO: the weight of unwanted answers.</summary>
    public double UndesirableWeight { get; init; } = 1;

    /// <summary>KTO: z, where it is not estimated.</summary>
    public double? ReferencePoint { get; init; }

    /// <summary>Whether log-probabilities are divided by the count of the answer's tokens.</summary>
    public bool LengthNormalization { get; init; } = DefaultNormalization(Objective);

    /// <summary>0.1, and 2 for SimPO, as their authors and TRL have it.</summary>
    public static double DefaultBeta(Objective objective) => objective == Objective.Simpo ? 2 : 0.1;

    /// <summary>IPO, as TRL computes it, and the losses that are defined so.</summary>
    public static bool DefaultNormalization(Objective objective) =>
        objective == Objective.Ipo || objective.IsPerToken();

    /// <exception cref="SafeLlamaException">A value is out of range.</exception>
    public void Validate()
    {
        Require(Beta > 0 && double.IsFinite(Beta), $"`{nameof(Beta)}` {Beta}: expected more than 0.");
        Require(LabelSmoothing is >= 0 and < 0.5,
            $"`{nameof(LabelSmoothing)}` {LabelSmoothing}: expected 0 up to less than 0.5; at 0.5 nothing is "
            + "preferred.");
        Require(Gamma >= 0, $"`{nameof(Gamma)}` {Gamma}: expected 0 or more.");
        Require(DesirableWeight >= 0 && UndesirableWeight >= 0 && DesirableWeight + UndesirableWeight > 0,
            $"`{nameof(DesirableWeight)}` {DesirableWeight} and `{nameof(UndesirableWeight)}` {UndesirableWeight}: "
            + "expected 0 or more, and one of them more than 0.");
        Require(ReferencePoint is null or >= 0,
            $"`{nameof(ReferencePoint)}` {ReferencePoint}: expected 0 or more.");
    }

    private static void Require(bool fine, string fault)
    {
        if (!fine)
        {
            throw SafeLlamaException.Usage(fault);
        }
    }
}
