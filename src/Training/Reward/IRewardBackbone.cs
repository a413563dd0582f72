using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>A model that gives each conversation a score and is trained on its error.</summary>
public interface IRewardBackbone : IDisposable
{
    IBackend Backend { get; }

    /// <summary>The trained parameters.</summary>
    IReadOnlyList<Parameter> Parameters { get; }

    /// <summary>The scores of a batch, in order; the pass is kept for <see cref="Backward"/>.</summary>
    /// <param name="conversations">Token ids of each.</param>
    /// <param name="dropout">The random numbers of this batch's dropout.</param>
    double[] Forward(IReadOnlyList<int[]> conversations, Philox dropout);

    /// <summary>Adds to the gradient of every parameter; follows <see cref="Forward"/>.</summary>
    /// <param name="dscores">∂loss/∂score of each conversation.</param>
    void Backward(double[] dscores);
}
