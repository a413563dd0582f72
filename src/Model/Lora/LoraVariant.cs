namespace SafeLlama.Model;

/// <summary>How a low-rank update begins and what it learns; each variant is one subclass of <see
/// cref="LoraFactors"/>.</summary>
public enum LoraVariant
{
    /// <summary>ΔW = s · B A, B zero at the start: <see cref="PlainLora"/>.</summary>
    Lora,

    /// <summary>Magnitude and direction apart: <see cref="DoraLora"/>.</summary>
    Dora,

    /// <summary>A and B begin as the principal part of W: <see cref="PissaLora"/>.</summary>
    Pissa,
}
