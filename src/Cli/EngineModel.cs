using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Evaluation;
using SafeLlama.Kernels;

namespace SafeLlama.Cli;

/// <summary>
/// A model folder and an adapter with a template, opened to answer and to score, and known by its hashes.
/// </summary>
internal sealed class EngineModel : IDisposable
{
    private readonly IBackend _backend;
    private readonly LlamaSession _session;
    private readonly PromptTemplate _template;

    private EngineModel(
        IBackend backend, LlamaSession session, PromptTemplate template, IReadOnlyDictionary<string, string> facts)
    {
        (_backend, _session, _template, Facts) = (backend, session, template, facts);
        Identity = ContentHash.OfText(string.Join('\n', facts.OrderBy(f => f.Key).Select(f => $"{f.Key} {f.Value}")));
    }

    /// <summary>Hashes of weights, adapter, tokenizer and template.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; }

    /// <summary>One hash over all of them.</summary>
    public string Identity { get; }

    /// <summary>What a user should know of this model, a line each.</summary>
    public IReadOnlyList<string> Notes => _session.Notes;

    /// <param name="folder">Hugging Face layout.</param>
    /// <param name="adapter">A PEFT folder, or null.</param>
    /// <param name="template">A template's name or file.</param>
    /// <param name="maxLength">The longest text in tokens; 0 for what the checkpoint was made for.</param>
    public static EngineModel Open(
        string folder, string? adapter, string template, int maxLength, string device, int threads)
    {
        var form = PromptTemplate.Load(template);
        var backend = Devices.Open(device, threads);
        try
        {
            var session = LlamaSession.Open(backend, folder, adapter, maxLength);
            return new(backend, session, form, FactsOf(folder, adapter, session.Tokenizer.Hash, template));
        }
        catch
        {
            backend.Dispose();
            throw;
        }
    }

    public EngineResponder Responder(DecodeSettings settings) => new(_session, _template, settings, Identity);

    /// <summary>The reward model whose head lies in <paramref name="headFolder"/>.</summary>
    public EngineRewardModel Reward(string headFolder) => new(_session, headFolder, Identity);

    public EngineLikelihood Likelihood() => new(_session, _template, Identity);

    public void Dispose()
    {
        _session.Dispose();
        _backend.Dispose();
    }

    private static Dictionary<string, string> FactsOf(string folder, string? adapter, string tokenizer, string template)
    {
        var facts = new Dictionary<string, string>
        {
            ["tokenizer"] = tokenizer,
            ["template"] = File.Exists(template) ? ContentHash.OfFile(template) : template,
        };
        if (File.Exists(folder))
        {
            facts[$"weights {Path.GetFileName(folder)}"] = ContentHash.OfFile(folder);
        }
        else
        {
            facts["config.json"] = ContentHash.OfFile(Path.Combine(folder, "config.json"));
        }

        foreach (var (kind, place) in new[] { ("weights", folder), ("adapter", adapter) })
        {
            string[] files = !Directory.Exists(place) ? [] : Directory.GetFiles(place, "*.safetensors");
            foreach (var file in files.Order(StringComparer.Ordinal))
            {
                facts[$"{kind} {Path.GetFileName(file)}"] = ContentHash.OfFile(file);
            }
        }

        return facts;
    }
}
