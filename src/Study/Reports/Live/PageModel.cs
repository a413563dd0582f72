using System.Text.Encodings.Web;
using System.Text.Json;
using SafeLlama.Common;

namespace SafeLlama.Study;

/// <summary>A model small enough to run in the report's page: <c>live.js</c> is its forward pass.</summary>
/// <param name="Model">The shape of the network.</param>
/// <param name="Tokenizer">How text becomes ids.</param>
/// <param name="Template">What stands around a request.</param>
/// <param name="Tensors">The base's tensors, in the order of <paramref name="Weights"/>.</param>
/// <param name="Weights">The tensors' values, row by row: bf16, little-endian, base64.</param>
/// <param name="Adapters">The adapters of the study's arms.</param>
public sealed record PageModel(
    PageModel.Architecture Model,
    PageModel.Vocabulary Tokenizer,
    PageModel.Frame Template,
    IReadOnlyList<PageModel.TensorShape> Tensors,
    string Weights,
    IReadOnlyList<PageModel.Adapter> Adapters)
{
    /// <summary>The most that a page carries, in characters of base64.</summary>
    public const long MostCharacters = 6_000_000;

    /// <summary>The shape of a network, by the names of its checkpoint's config.</summary>
    public sealed record Architecture(int Hidden, int Layers, int Heads, int KeyValueHeads, int HeadDim)
    {
        public required double RmsNormEpsilon { get; init; }

        public required double RopeTheta { get; init; }

        /// <summary>The longest sequence, in tokens.</summary>
        public required int MaxPositions { get; init; }

        /// <summary>The longest answer, in tokens.</summary>
        public required int MaxNewTokens { get; init; }

        /// <summary>Tokens that end an answer.</summary>
        public required IReadOnlyList<int> EndTokens { get; init; }
    }

    /// <summary>Byte-pair encoding with byte fallback, as SentencePiece models have it.</summary>
    /// <param name="Pieces">[V] the text of each id; a space is ▁.</param>
    /// <param name="Merges">Pairs with a space between them, the first merged first.</param>
    /// <param name="Begin">The id that every prompt starts with; null for none.</param>
    public sealed record Vocabulary(IReadOnlyList<string> Pieces, IReadOnlyList<string> Merges, int? Begin);

    /// <summary>The text before and after a request.</summary>
    public sealed record Frame(string Before, string After);

    /// <summary>One tensor: vectors have one row.</summary>
    public sealed record TensorShape(string Name, int Rows, int Columns);

    /// <summary>The update of one linear: y += scale · (x Aᵀ) Bᵀ.</summary>
    public sealed record Pair(string Module, int Rank, double Scale);

    /// <summary>One arm's adapter.</summary>
    /// <param name="Arm">The arm.</param>
    /// <param name="Pairs">Its pairs.</param>
    /// <param name="Weights">A [r, in], then B [out, r] of each pair: bf16, little-endian, base64.</param>
    public sealed record Adapter(string Arm, IReadOnlyList<Pair> Pairs, string Weights);

    /// <summary>Escapes what could end an element or hide in one.</summary>
    private static readonly JsonSerializerOptions InPages = new(Json.Line) { Encoder = JavaScriptEncoder.Default };

    /// <summary>JSON that may stand in a page.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, InPages);
}
