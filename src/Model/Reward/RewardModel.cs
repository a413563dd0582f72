using SafeLlama.Common;
using SafeLlama.Kernels;

namespace SafeLlama.Model;

/// <summary>A LLaMA with a reward head, which gives each conversation a score.</summary>
/// <remarks>The folder of a trained one is an adapter's with <c>score.safetensors</c> beside it.</remarks>
public sealed class RewardModel : IDisposable
{
    public const string HeadFile = "score.safetensors";

    /// <summary>What the model was trained on, and its accuracy.</summary>
    public const string ResultFile = "reward.json";

    /// <summary>What a reward model's folder holds beside its adapter.</summary>
    public static IReadOnlyList<string> Files { get; } = [HeadFile, ResultFile];

    private Workspace? _workspace;
    private readonly Llama _model;

    /// <param name="model">The backbone, an adapter beside its linears or not; it outlives this.</param>
    /// <param name="weights">The backbone's weights.</param>
    /// <param name="maxConversations">The most conversations of one pass.</param>
    public RewardModel(Llama model, LlamaWeights weights, int maxConversations)
    {
        _model = model;
        Head = new RewardHead(model.Backend, weights, maxConversations);
    }

    public Llama Backbone => _model;

    public RewardHead Head { get; }

    /// <summary>The scores of conversations that are packed one after another; attention stays within each.</summary>
    /// <param name="conversations">Token ids of each, none empty.</param>
    /// <param name="workspace">The memory of the pass.</param>
    /// <param name="dropout">Null in evaluation.</param>
    /// <returns>The scores, and the pass, for <see cref="RewardHead.Backward"/>.</returns>
    public (double[] Scores, Pass Pass) Forward(
        IReadOnlyList<int[]> conversations, Workspace workspace, Philox? dropout = null)
    {
        int[] tokens = [.. conversations.SelectMany(c => c)];
        int[] positions = [.. conversations.SelectMany(c => Enumerable.Range(0, c.Length))];
        var (first, last) = (new int[tokens.Length], new int[conversations.Count]);
        for (int c = 0, start = 0; c < conversations.Count; start += conversations[c++].Length)
        {
            Array.Fill(first, start, start, conversations[c].Length);
            last[c] = start + conversations[c].Length - 1;
        }

        _model.CheckTokens(tokens, "conversation");
        var pass = workspace.For(tokens.Length);
        var nothingToPredict = new int[tokens.Length];
        Array.Fill(nothingToPredict, -1);
        pass.Batch.Upload(tokens, positions, first, nothingToPredict);
        pass.Batch.DropoutStream = dropout;
        _model.Forward(pass);
        return (Head.Forward(pass, last), pass);
    }

    /// <summary>
    /// The scores of conversations, one pass each, so that a score does not depend on its neighbors.
    /// </summary>
    public double[] Score(IReadOnlyList<int[]> conversations)
    {
        var longest = conversations.Count == 0 ? 1 : conversations.Max(c => c.Length);
        if (_workspace is null || _workspace.MaxRows < longest)
        {
            _workspace?.Dispose();
            _workspace = new Workspace(_model, longest, forBackward: false);
        }

        return [.. conversations.Select(c => Forward([c], _workspace).Scores[0])];
    }

    /// <summary>Writes the head beside an adapter.</summary>
    public void SaveHead(string folder) => SafetensorsWriter.Write(
        Path.Combine(folder, HeadFile),
        [SafetensorsItem.Of(RewardHead.WeightName, Head.Weight.Value, DType.Float32)],
        new Dictionary<string, string> { ["format"] = "pt" });

    /// <summary>
    /// Reads the head from <c>score.safetensors</c>, or from a <c>LlamaForSequenceClassification</c> checkpoint.
    /// </summary>
    /// <exception cref="SafeLlamaException">There is no head of one label, or it is not finite.</exception>
    public void LoadHead(string folder)
    {
        var own = Path.Combine(folder, HeadFile);
        if (File.Exists(own))
        {
            using var file = SafetensorsFile.Open(own);
            Read(file);
            return;
        }

        using var checkpoint = CheckpointFiles.Open(folder);
        if (!checkpoint.Tensors.TryGetValue(RewardHead.WeightName, out var found))
        {
            throw SafeLlamaException.InvalidData(
                $"{folder}: holds neither {HeadFile} nor a tensor '{RewardHead.WeightName}'; it is no reward model. "
                + "`judge train` makes one.");
        }

        Read(found.File);
    }

    public void Dispose()
    {
        _workspace?.Dispose();
        Head.Dispose();
    }

    private void Read(SafetensorsFile file)
    {
        var weight = Head.Weight.Value;
        if (!file.Entries.TryGetValue(RewardHead.WeightName, out var entry) || entry.Shape != weight.Shape)
        {
            throw SafeLlamaException.InvalidData(
                $"{file.Path}: '{RewardHead.WeightName}' is {entry?.Shape.ToString() ?? "missing"}, expected "
                + $"{weight.Shape}: one label over the backbone's features.");
        }

        var type = file.WeightType(entry);
        var values = new double[entry.Shape.Count];
        TensorConvert.ToDoubles(file.Bytes(entry), type, values);
        weight.Write(values.All(double.IsFinite)
            ? values
            : throw SafeLlamaException.InvalidData(
                $"{file.Path}: '{RewardHead.WeightName}' holds a value that is not finite."));
    }
}
