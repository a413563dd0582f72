using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A tensor that is trained: its value and the gradient that backward adds to.</summary>
/// <param name="Name">Its name in a checkpoint or an adapter file.</param>
/// <param name="Decays">Whether weight decay applies: not to biases and norms.</param>
public sealed record Parameter(string Name, Tensor Value, Tensor Gradient, bool Decays)
{
    /// <summary>Whether LoRA+ moves it at the higher rate: every B, and DoRA's magnitudes.</summary>
    public bool IsFastUnderLoraPlus { get; init; }
}

/// <summary>A weight of the model: frozen, unless it is also a parameter.</summary>
public sealed class Weight(Tensor value, Parameter? parameter = null)
{
    public Tensor Value => value;

    /// <summary>Null where the weight is frozen, as under LoRA.</summary>
    public Tensor? Gradient => parameter?.Gradient;

    public Parameter? Parameter => parameter;
}
