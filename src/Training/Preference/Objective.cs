namespace SafeLlama.Training;

/// <summary>What a run minimizes.</summary>
public enum Objective
{
    /// <summary>The negative log-likelihood of answers.</summary>
    Sft,

    /// <summary>Direct preference optimization: Rafailov et al. 2023, arXiv:2305.18290.</summary>
    Dpo,

    /// <summary>Identity preference optimization: Azar et al. 2023, arXiv:2310.12036.</summary>
    Ipo,

    /// <summary>DPO's margin in a hinge: Zhao et al. 2023, arXiv:2305.10425.</summary>
    Hinge,

    /// <summary>Odds-ratio preference optimization: Hong et al. 2024, arXiv:2403.07691.</summary>
    Orpo,

    /// <summary>Simple preference optimization: Meng et al. 2024, arXiv:2405.14734.</summary>
    Simpo,

    /// <summary>Kahneman-Tversky optimization: Ethayarajh et al. 2024, arXiv:2402.01306.</summary>
    Kto,
}

public static class Objectives
{
    /// <summary>Whether it learns from preferences.</summary>
    public static bool IsPreference(this Objective objective) => objective != Objective.Sft;

    /// <summary>Whether answers are compared with what the model gave them before the first step.</summary>
    public static bool NeedsReference(this Objective objective) =>
        objective is Objective.Dpo or Objective.Ipo or Objective.Hinge or Objective.Kto;

    /// <summary>Whether log-probabilities are always means over tokens.</summary>
    public static bool IsPerToken(this Objective objective) => objective is Objective.Orpo or Objective.Simpo;
}
