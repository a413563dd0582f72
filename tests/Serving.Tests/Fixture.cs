using System.Net.Http.Json;
using System.Text.Json.Nodes;
using SafeLlama.Evaluation;
using SafeLlama.Inference;
using SafeLlama.Kernels;
using SafeLlama.Model;
using SafeLlama.Testing;

namespace SafeLlama.Serving.Tests;

/// <summary>The miniature with two adapters, served on a free port of this machine.</summary>
internal sealed class Fixture : IAsyncDisposable
{
    private static readonly Lazy<string> Adapters = new(MakeAdapters);

    private Fixture(LlamaSession session, ServingEngine engine, SafeLlamaServer server)
    {
        (Session, Engine, Server) = (session, engine, server);
        Client = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromSeconds(60) };
    }

    public static string ModelFolder { get; } = Path.Combine(TestFiles.Root, "assets", "miniature");

    /// <summary>How the miniature was asked in training.</summary>
    public static string Template { get; } = Path.Combine(ModelFolder, "template.json");

    public LlamaSession Session { get; }

    public ServingEngine Engine { get; }

    public SafeLlamaServer Server { get; }

    public HttpClient Client { get; }

    /// <summary>The id of the base, and of two adapters: DoRA on all linears, and plain LoRA of another rank on
    /// two.</summary>
    public static IReadOnlyList<string> Ids { get; } = ["miniature", "one", "two"];

    public static string AdapterFolder(string id) => Path.Combine(Adapters.Value, id);

    public static async Task<Fixture> Start(
        EngineSettings? engineSettings = null, ServerSettings? settings = null, IJudge? judge = null,
        Action<string>? log = null)
    {
        var (session, engine) = Open(engineSettings);
        var server = new SafeLlamaServer(engine, (settings ?? new()) with { Port = 0 }, judge, log);
        await server.StartAsync();
        return new(session, engine, server);
    }

    public static (LlamaSession Session, ServingEngine Engine) Open(EngineSettings? settings = null)
    {
        var session = LlamaSession.Open(new CpuBackend(1), ModelFolder, new()
        {
            Choices = [AdapterFolder("one"), AdapterFolder("two")],
            OwnsBackend = true,
        });
        var models = ServedModel.Of(
            session, ModelFolder, [("one", AdapterFolder("one")), ("two", AdapterFolder("two"))], Template, _ => { });
        return (session, new ServingEngine(session, models, settings ?? new()));
    }

    /// <summary>The ids that the generator answers with, the model alone and one prompt at a time.</summary>
    public static Generation Alone(string id, int[] prompt, DecodingConfig config)
    {
        using var session = LlamaSession.Open(new CpuBackend(1), ModelFolder, new()
        {
            Adapter = id == Ids[0] ? null : AdapterFolder(id),
            TemplateName = Template,
            OwnsBackend = true,
        });
        return new Generator(session.Model, session.Decoding(config)).Generate([prompt])[0];
    }

    public async Task<JsonNode> Ask(string path, object body)
    {
        using var response = await Client.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.That((int)response.StatusCode, Is.EqualTo(200), text);
        return JsonNode.Parse(text)!;
    }

    /// <summary>The status and the error of a request that is refused.</summary>
    public async Task<(int Status, JsonNode Error)> Refused(string path, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var response = await Client.PostAsync(path, content);
        return ((int)response.StatusCode, JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Server.DisposeAsync();
        Engine.Dispose();
        Session.Dispose();
    }

    private static string MakeAdapters()
    {
        var folder = TestFiles.NewFolder();
        using var backend = new CpuBackend(1);
        var config = LlamaConfig.Load(ModelFolder);
        using var weights = LlamaWeights.Load(backend, config, ModelFolder);
        (string, int, IReadOnlyList<string>, LoraVariant)[] adapters =
        [
            ("one", 4, LlamaShapes.LinearNames, LoraVariant.Dora), ("two", 20, ["q_proj", "v_proj"], LoraVariant.Lora),
        ];
        foreach (var (id, rank, targets, variant) in adapters)
        {
            var lora = new LoraConfig { Rank = rank, Alpha = 8, Targets = targets, Variant = variant };
            using var adapter = LoraAdapter.Create(backend, weights, lora, seed: rank);
            foreach (var pair in adapter.Pairs)
            {
                pair.B.Value.Write(TinyLlama.Normal((int)pair.B.Value.Shape.Count, seed: pair.Index, scale: 0.02));
            }

            PeftFolder.Save(adapter, Path.Combine(folder, id), ModelFolder);
        }

        return folder;
    }
}
