using SafeLlama.Lab;

namespace SafeLlama.Cli.Options;

/// <summary>What <c>lab</c> can be told.</summary>
internal sealed class LabOptions : OptionSet<LabOptions.Request>
{
    public LabOptions()
    {
        AddShared(nameof(Request.Model));
        Add(nameof(Request.Adapter), "PEFT adapter folders to talk to beside that model. Default, and without --model: "
            + "the miniature with the adapters that come with it.", "NAME=DIR…");
        AddShared(nameof(Request.Template));
        Add(nameof(Request.Memory), "Memory that a model to talk to may use, in GiB. Default: what the machine has.",
            "GIB");
        Add(nameof(Request.Port), "The port on 127.0.0.1; 0 takes a free one.");
        Add(nameof(Request.NoOpen), "Print the address and open no browser.");
        Add(nameof(Request.Teacher), "Show timings and answers beside the exercises.");
        AddShared(nameof(Request.Threads));
    }

    internal sealed record Request
    {
        private static readonly LabSettings Defaults = new();

        public string? Model { get; init; }
        public IReadOnlyList<string> Adapter { get; init; } = [];
        public string Template { get; init; } = Defaults.Template;
        public double? Memory { get; init; }
        public int Port { get; init; } = Defaults.Port;
        public bool NoOpen { get; init; }
        public bool Teacher { get; init; }
        public int Threads { get; init; } = Defaults.Threads;

        public LabSettings ForLab() => new()
        {
            Model = Model,
            Adapter = Adapter,
            Template = Template,
            Memory = Memory,
            Port = Port,
            Teacher = Teacher,
            Threads = Threads,
        };
    }
}
