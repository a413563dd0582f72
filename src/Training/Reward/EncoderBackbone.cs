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

    /// <summary>The most memory that such training needs, before any is allocated.</summary>
    /// <param name="weightBytes">Of the checkpoint's files.</param>
    public static MemoryPlan Plan(EncoderClassifier model, int maxRows, int maxConversations, long weightBytes)
    {
        var values = model.Parameters.Sum(p => p.Value.ByteCount);
        return new(
        [
            new("frozen weights", weightBytes, "use a smaller encoder"),
            new("head and adapters with gradients and moments", 4 * values, "lower `Rank`"),
            new("activations", EncoderWorkspace.BytesFor(model, maxRows, maxConversations, forBackward: true),
                "lower `BatchSize`"),
            new("scratch", EncoderWorkspace.ScratchFor(model, maxRows), "lower `BatchSize`"),
            new("program", MemoryPlan.ProgramBytes, "free memory, or give the program more"),
        ]);
    }

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
