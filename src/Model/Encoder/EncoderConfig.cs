using SafeLlama.Common;

namespace SafeLlama.Model;

/// <summary>The shape of a DeBERTa-v2/v3 encoder classifier, as a checkpoint's <c>config.json</c> gives it.</summary>
public sealed record EncoderConfig
{
    /// <summary>V: rows of the embedding table; it may have more than the tokenizer has pieces.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>D: features of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>F: features inside the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    public required int Layers { get; init; }

    /// <summary>H: attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>d: features of one head, D / H.</summary>
    public int HeadDim => HiddenSize / Heads;

    /// <summary>ε of every layer norm.</summary>
    public double LayerNormEpsilon { get; init; } = 1e-7;

    /// <summary>B: half the rows of the table of distances.</summary>
    public required int DistanceSpan { get; init; }

    /// <summary>Whether distances beyond B / 2 share logarithmic buckets.</summary>
    public bool LogBuckets { get; init; }

    /// <summary>M: the distance of the last bucket; sequences may be longer.</summary>
    public required int MaxDistance { get; init; }

    /// <summary>Outputs of the head: 1 for a regression.</summary>
    public required int Labels { get; init; }

    /// <summary>The token whose embedding is never trained.</summary>
    public int PadTokenId { get; init; }

    /// <summary>Spread of newly drawn weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>The number of weights, head included.</summary>
    public long ParameterCount => EncoderShapes.Of(this).Sum(w => w.Shape.Count);

    /// <summary>Reads <c>config.json</c> of a checkpoint folder.</summary>
    /// <exception cref="SafeLlamaException">
    /// The file is missing, malformed, or describes another architecture.
    /// </exception>
    public static EncoderConfig Load(string folder)
    {
        var file = Path.Combine(folder, "config.json");
        if (!File.Exists(file))
        {
            throw SafeLlamaException.Usage(
                $"{file}: not found. An encoder's folder holds config.json, model.safetensors and spm.model.");
        }

        return JsonFile.Read(file, json => EncoderConfigReader.Read(new(file, json)));
    }
}
