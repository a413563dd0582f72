using SafeLlama.Cli.Commands;
using SafeLlama.Common;
using SafeLlama.Data;
using SafeLlama.Serving;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>serve</c> can be told, judges aside.</summary>
internal sealed class ServeOptions : OptionSet<ServeOptions.Request>
{
    public ServeOptions()
    {
        AddShared(nameof(Request.Model), required: true);
        Add(nameof(Request.Adapter), "PEFT adapter folders; each is served as a model of its own over the one base, "
            + "called NAME, or by its folder's name.", "NAME=DIR…");
        AddShared(nameof(Request.Template));
        Add(nameof(Request.Host), "The address to listen on; 0.0.0.0 lets other machines in, who then need a key in "
            + $"{ServeCommand.KeyVariable}.", "ADDRESS");
        Add(nameof(Request.Port), "The port to listen on; 0 takes a free one.");
        Add(nameof(Request.Slots), "Answers that grow side by side; each has its part of the key/value cache.");
        Add(nameof(Request.Queue), "Answers that may wait for a slot, half of them of one request; beyond, "
            + "requests get status 429. Requests take turns for slots.");
        AddShared(nameof(Request.MaxLength));
        Add(nameof(Request.MaxPrompt), "The most tokens of a prompt; 0 is as many as fit.", "TOKENS");
        Add(nameof(Request.MaxTokens), "The most tokens of an answer.", "TOKENS");
        Add(nameof(Request.MaxBody), "The most bytes of a request.", "BYTES");
        Add(nameof(Request.Temperature), "What requests that name no temperature get; 0 takes the likeliest token.",
            "X");
        Add(nameof(Request.Cors), "Origins whose web pages may ask, or * for all. Default: none.", "ORIGIN…");
        Add(nameof(Request.Grace), "How long answers under way may take once the server is told to stop.", "SECONDS");
        Add(nameof(Request.Memory), "Memory that may be used, in GiB. Default: what the machine has.", "GIB");
        AddShared(nameof(Request.Device));
        AddShared(nameof(Request.Threads));
    }

    internal sealed record Request : IComputes
    {
        private static readonly EngineSettings Engine = new();
        private static readonly ServerSettings Server = new();

        public string Model { get; init; } = "";
        public IReadOnlyList<string> Adapter { get; init; } = [];
        public string Template { get; init; } = TemplateResolver.Auto;
        public string Host { get; init; } = Server.Host;
        public int Port { get; init; } = Server.Port;
        public int Slots { get; init; } = Engine.Slots;
        public int Queue { get; init; } = Engine.Queue;
        public int MaxLength { get; init; }
        public int MaxPrompt { get; init; } = Engine.MaxPrompt;
        public int MaxTokens { get; init; } = Engine.MaxTokens;
        public int MaxBody { get; init; } = Server.MaxBody;
        public double Temperature { get; init; } = Server.Temperature;
        public IReadOnlyList<string> Cors { get; init; } = [];
        public double Grace { get; init; } = Server.Grace.TotalSeconds;
        public double? Memory { get; init; }
        public string Device { get; init; } = "cpu";
        public int Threads { get; init; } = Environment.ProcessorCount;

        public EngineSettings ForEngine() =>
            new() { Slots = Slots, Queue = Queue, MaxPrompt = MaxPrompt, MaxTokens = MaxTokens };

        public ServerSettings ForServer(string? key) => new()
        {
            Host = Host,
            Port = Port,
            MaxBody = MaxBody,
            Temperature = Temperature,
            Cors = Cors,
            ApiKey = key,
            Grace = Grace is >= 0 and <= 86_400 ? TimeSpan.FromSeconds(Grace)
                : throw SafeLlamaException.Usage($"`{nameof(Grace)}` {Grace}: expected 0 to 86400 seconds."),
        };
    }
}
