using SafeLlama.Data;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>What a defense adds to a step besides the loss of its rows.</summary>
public abstract class StepTerm : IDisposable
{
    /// <summary>The rows of a step; null for those of the run's own order.</summary>
    /// <param name="step">From 0.</param>
    public virtual IReadOnlyList<TokenizedExample>? Rows(int step) => null;

    /// <summary>Before a step's rows pass through the model.</summary>
    public abstract void Begin(Trainer trainer);

    /// <summary>Adds its gradient to that of the loss, before the clipping.</summary>
    public abstract void AddTo(IReadOnlyList<Parameter> parameters);

    /// <summary>What a checkpoint must keep for it, by name.</summary>
    public virtual IEnumerable<(string Name, Tensor Tensor)> State => [];

    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>gradient += change, in fp64 on the host.</summary>
    private protected static void Add(Parameter parameter, ReadOnlySpan<double> change)
    {
        var gradient = parameter.Gradient.ReadDoubles();
        for (var i = 0; i < gradient.Length; i++)
        {
            gradient[i] += change[i];
        }

        parameter.Gradient.Write(gradient);
    }
}
