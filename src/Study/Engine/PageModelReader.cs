using System.Text.Json.Nodes;
using SafeLlama.Data;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;

namespace SafeLlama.Study;

/// <summary>Gathers a base and the adapters of its arms for a page.</summary>
/// <param name="folder">The base's folder.</param>
/// <remarks>
/// The page's forward pass knows LLaMA's plain form: no biases, rotations without scaling, byte-pair encoding with byte
/// fallback, a template of text alone, plain LoRA. Other models stay out of the page.
/// </remarks>
internal sealed class PageModelReader(string folder)
{
    private const string Mark = "\u0001request\u0001";

    private readonly LlamaConfig _config = LlamaConfig.Load(folder);
    private readonly PageModel.Vocabulary? _tokenizer = ReadTokenizer(Path.Combine(folder, "tokenizer.json"));
    private readonly List<PageModel.Adapter> _adapters = [];
    private PageModel? _base;
    private long _characters;

    /// <summary>Whether a page can carry and run the base.</summary>
    public bool Fits => _tokenizer is not null
        && _config is
        {
            AttentionBias: false, MlpBias: false, Quantization: null, ScoresSequences: false,
            Rope: { Type: RopeType.Default, Divisors: null },
        }
        && Characters(_config.ParameterCount) <= PageModel.MostCharacters;

    /// <summary>The base with every adapter that there was room for; null where there is none.</summary>
    public PageModel? Made => _adapters.Count == 0 ? null : _base! with { Adapters = _adapters };

    /// <summary>Takes the base, at first, and the adapter of one arm; other forms are left out.</summary>
    public void Add(ArmJob job, LlamaSession opened)
    {
        if (_base is null)
        {
            if (FrameOf(job.Template) is not { } frame)
            {
                return;
            }

            _base = Base(job, opened, frame);
            _characters = _base.Weights.Length;
        }

        if (opened.Adapter is not { } adapter || adapter.Pairs.Any(pair => pair is not PlainLora)
            || _characters + Characters(adapter.ParameterCount) > PageModel.MostCharacters)
        {
            return;
        }

        _adapters.Add(new(
            job.Arm.Name,
            [.. adapter.Pairs.Select(pair => new PageModel.Pair(pair.Module, pair.Rank, pair.Scale))],
            Base64(adapter.Pairs.SelectMany(pair => new[] { pair.A.Value, pair.B.Value }))));
        _characters += _adapters[^1].Weights.Length;
    }

    private PageModel Base(ArmJob job, LlamaSession opened, PageModel.Frame frame)
    {
        WeightShape[] shapes = [.. LlamaShapes.Of(_config)];
        return new(
            new(_config.HiddenSize, _config.Layers, _config.Heads, _config.KeyValueHeads, _config.HeadDim)
            {
                RmsNormEpsilon = _config.RmsNormEpsilon,
                RopeTheta = _config.Rope.Theta,
                MaxPositions = _config.MaxPositions,
                MaxNewTokens = job.Decoding.MaxNewTokens,
                EndTokens = opened.EndTokens,
            },
            _tokenizer! with { Begin = opened.Tokenizer.BosId },
            frame,
            [.. shapes.Select(w => new PageModel.TensorShape(
                w.Name, w.Shape.Rank == 1 ? 1 : w.Shape[0], w.Shape[w.Shape.Rank - 1]))],
            Base64(shapes.Select(w => opened.Weights[w.Name].Value)),
            []);
    }

    /// <summary>Base64 has four characters for three bytes.</summary>
    private static long Characters(long weights) => weights * sizeof(ushort) * 4 / 3;

    private static string Base64(IEnumerable<Tensor> tensors)
    {
        var parts = tensors.SelectMany(tensor => SafetensorsItem.Of("", tensor, DType.BFloat16).Parts());
        return Convert.ToBase64String([.. parts.SelectMany(part => part)]);
    }

    /// <summary>The text around a request; null where the template has control tokens.</summary>
    private static PageModel.Frame? FrameOf(PromptTemplate template)
    {
        var segments = template.RenderPrompt(Mark);
        if (segments.Any(s => s.Kind is not (SegmentKind.Text or SegmentKind.Begin)))
        {
            return null;
        }

        return string.Concat(segments.Select(s => s.Value)).Split(Mark) is [var before, var after]
            ? new(before, after)
            : null;
    }

    /// <summary>The tokenizer; null where it is of another form than the page's.</summary>
    private static PageModel.Vocabulary? ReadTokenizer(string path)
    {
        if (!File.Exists(path) || JsonNode.Parse(File.ReadAllText(path)) is not JsonObject root
            || root["model"] is not JsonObject model || root["pre_tokenizer"] is not null
            || (string?)model["type"] != "BPE" || (bool?)model["byte_fallback"] != true
            || (bool?)model["ignore_merges"] == true || !HasSentencePieceSpaces(root["normalizer"])
            || model["vocab"] is not JsonObject vocabulary || model["merges"] is not JsonArray merges)
        {
            return null;
        }

        var pieces = new string[vocabulary.Count];
        foreach (var (piece, id) in vocabulary)
        {
            if ((int?)id is not { } place || place < 0 || place >= pieces.Length)
            {
                return null;
            }

            pieces[place] = piece;
        }

        var pairs = merges.Select(merge => merge is JsonArray pair ? $"{pair[0]} {pair[1]}" : $"{merge}");
        return pieces.Any(piece => piece is null) ? null : new(pieces, [.. pairs], Begin: null);
    }

    /// <summary>▁ before the text, and for every space of it.</summary>
    private static bool HasSentencePieceSpaces(JsonNode? normalizer) =>
        normalizer?["normalizers"] is JsonArray { Count: 2 } steps
        && (string?)steps[0]?["type"] == "Prepend" && (string?)steps[0]?["prepend"] == "▁"
        && (string?)steps[1]?["type"] == "Replace" && (string?)steps[1]?["pattern"]?["String"] == " "
        && (string?)steps[1]?["content"] == "▁";
}
