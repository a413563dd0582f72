using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>An encoder of one output that reads its score from [CLS].</summary>
/// <param name="maxRows">The most tokens of one batch.</param>
/// <param name="maxConversations">The most conversations of one batch.</param>
public sealed class EncoderBackbone(EncoderClassifier model, int maxRows, int maxConversations) : IRewardBackbone
{
    private readonly EncoderWorkspace _workspace = new(model, maxRows, maxConversations, forBackward: true);
    private EncoderPass? _pass;

    public IBackend Backend => model.Backend;

    public IReadOnlyList<Parameter> Parameters { get; } = model.Parameters;

    public double[] Forward(IReadOnlyList<int[]> conversations, Philox dropout)
    {
        (var scores, _pass) = model.Forward(conversations, _workspace, dropout);
        return scores;
    }

    public void Backward(double[] dscores) => model.Backward(_pass!, dscores);

    public void Dispose() => _workspace.Dispose();
}
