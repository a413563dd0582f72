using SafeLlama.Common;

namespace SafeLlama.Training;

/// <summary>How a run makes its model harder to turn.</summary>
public enum Defense
{
    /// <summary>Rows that begin with a harmful answer and turn to a refusal.</summary>
    Recovery,

    /// <summary>The likelihood of each token is held near where it began, the first tokens most.</summary>
    Constrained,

    /// <summary>Steps on safety rows and steps on the others alternate, each held near where the other ended.</summary>
    Lisa,

    /// <summary>The finished update is projected onto what alignment changed.</summary>
    SafeLora,

    /// <summary>Weights are sought from which a step on harmful rows gains little.</summary>
    Booster,
}

/// <summary>The defenses of a run with their settings, every value resolved; null for those it does without.</summary>
public sealed record DefenseSettings
{
    public RecoverySettings? Recovery { get; init; }

    public ConstrainedSettings? Constrained { get; init; }

    public LisaSettings? Lisa { get; init; }

    public SafeLoraSettings? SafeLora { get; init; }

    public BoosterSettings? Booster { get; init; }

    /// <summary>The names of those in use.</summary>
    public IEnumerable<Defense> Names()
    {
        (Defense Name, object? Settings)[] all =
        [
            (Defense.Recovery, Recovery), (Defense.Constrained, Constrained), (Defense.Lisa, Lisa),
            (Defense.SafeLora, SafeLora), (Defense.Booster, Booster),
        ];
        return all.Where(defense => defense.Settings is not null).Select(defense => defense.Name);
    }

    /// <exception cref="SafeLlamaException">A value is out of range, or two defenses exclude each other.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        void Need(bool fine, string name, object value, string expected)
        {
            if (!fine)
            {
                faults.Add($"`{name}` {SettingText.Of(value)}: expected {expected}.");
            }
        }

        if (Recovery is { } r)
        {
            Need(r.Prefix >= 1, "RecoveryPrefix", r.Prefix, "at least 1 token");
            Need(r.Plain is >= 0 and < 1, "RecoveryPlain", r.Plain, "a share from 0 to less than 1");
        }

        if (Constrained is { } c)
        {
            const string Positive = "more than 0";
            Need(IsPositive(c.Beta), "ConstraintBeta", c.Beta, Positive);
            Need(IsPositive(c.First), "ConstraintFirst", c.First, Positive);
            Need(IsPositive(c.Early), "ConstraintEarly", c.Early, Positive);
            Need(c.EarlyTokens >= 0, "ConstraintTokens", c.EarlyTokens, "0 or more");
        }

        if (Lisa is { } l)
        {
            Need(l.Rho >= 0 && double.IsFinite(l.Rho), "LisaRho", l.Rho, "0 (no pull) or more");
            Need(l.AlignmentSteps >= 1, "LisaAlignmentSteps", l.AlignmentSteps, "at least 1");
            Need(l.TuningSteps >= 1, "LisaTuningSteps", l.TuningSteps, "at least 1");
        }

        if (SafeLora is { } s)
        {
            Need(s.Threshold is > -1 and <= 1, "SafeLoraThreshold", s.Threshold,
                "a cosine above -1 and up to 1; at 1 every update is projected");
        }

        if (Booster is { } b)
        {
            Need(IsPositive(b.Lambda), "BoosterLambda", b.Lambda, "more than 0");
            Need(IsPositive(b.Alpha), "BoosterAlpha", b.Alpha, "more than 0");
        }

        var steps = Names().Where(name => name is Defense.Constrained or Defense.Lisa or Defense.Booster)
            .Select(name => SettingText.Of(name)).ToList();
        if (steps.Count > 1)
        {
            faults.Add($"`Defense` {string.Join(" and ", steps)}: each changes what a step does, and nobody has "
                + "published them together. Take one of them; recovery and safe-lora go with each.");
        }

        if (faults.Count > 0)
        {
            throw SafeLlamaException.Usage(string.Join(" ", faults));
        }
    }

    private static bool IsPositive(double value) => value > 0 && double.IsFinite(value);
}
