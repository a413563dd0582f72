using SafeLlama.Common;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Training;

/// <summary>A LLaMA that reads its score from the last token.</summary>
/// <param name="maxRows">The most tokens of one batch.</param>
public sealed class LlamaBackbone(RewardModel model, int maxRows) : IRewardBackbone
{
    private readonly Workspace _workspace = new(model.Backbone, maxRows, forBackward: true);
    private Pass? _pass;

    public IBackend Backend => model.Backbone.Backend;

    public IReadOnlyList<Parameter> Parameters { get; } = [.. model.Backbone.Parameters, model.Head.Weight];

    public double[] Forward(IReadOnlyList<int[]> conversations, Philox dropout)
    {
        (var scores, _pass) = model.Forward(conversations, _workspace, dropout);
        return scores;
    }

    public void Backward(double[] dscores)
    {
        model.Head.Backward(_pass!, dscores);
        model.Backbone.Backward(_pass!);
    }

    public void Dispose() => _workspace.Dispose();
}
