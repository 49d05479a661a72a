CREATE TABLE organisations (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL);
CREATE TABLE agents (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL);
CREATE TABLE memberships (
    organisation_id INTEGER NOT NULL,
    agent_id INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, agent_id),
    FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    FOREIGN KEY (agent_id) REFERENCES agents (id)
);
CREATE TABLE invitations (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    email VARCHAR(100) NOT NULL,
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);
CREATE TABLE customers (
    code VARCHAR(20) PRIMARY KEY NOT NULL,
    organisation_id INTEGER,
    name VARCHAR(100) NOT NULL,
    FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);
CREATE TABLE devices (
    customer_code VARCHAR(20) NOT NULL,
    number INTEGER NOT NULL,
    name VARCHAR(100) NOT NULL,
    PRIMARY KEY (customer_code, number),
    FOREIGN KEY (customer_code) REFERENCES customers (code)
);
CREATE TABLE tickets (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    customer_code VARCHAR(20) NOT NULL,
    agent_id INTEGER,
    device_customer VARCHAR(20),
    device_number INTEGER,
    title VARCHAR(100) NOT NULL,
    FOREIGN KEY (customer_code) REFERENCES customers (code),
    FOREIGN KEY (agent_id) REFERENCES agents (id),
    FOREIGN KEY (device_customer, device_number) REFERENCES devices (customer_code, number)
);
CREATE TABLE messages (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    ticket_id INTEGER NOT NULL,
    text VARCHAR(1000) NOT NULL,
    FOREIGN KEY (ticket_id) REFERENCES tickets (id)
);
CREATE TABLE attachments (
    id INTEGER AUTO_INCREMENT PRIMARY KEY,
    message_id INTEGER NOT NULL,
    name VARCHAR(100) NOT NULL,
    FOREIGN KEY (message_id) REFERENCES messages (id)
);
CREATE TABLE tags (name VARCHAR(20) PRIMARY KEY NOT NULL);
CREATE TABLE tickets_tags (
    ticket_id INTEGER NOT NULL,
    tag VARCHAR(20) NOT NULL,
    PRIMARY KEY (ticket_id, tag),
    FOREIGN KEY (ticket_id) REFERENCES tickets (id),
    FOREIGN KEY (tag) REFERENCES tags (name)
);
CREATE TABLE events (id INTEGER AUTO_INCREMENT PRIMARY KEY, about VARCHAR(100) NOT NULL, what VARCHAR(100) NOT NULL);
CREATE INDEX invitations_organisation ON invitations (organisation_id);
CREATE INDEX memberships_agent ON memberships (agent_id);
CREATE INDEX customers_organisation ON customers (organisation_id);
CREATE INDEX tickets_customer ON tickets (customer_code);
CREATE INDEX tickets_agent ON tickets (agent_id);
CREATE INDEX tickets_device ON tickets (device_customer, device_number);
CREATE INDEX messages_ticket ON messages (ticket_id);
CREATE INDEX attachments_message ON attachments (message_id);
CREATE INDEX tickets_tags_tag ON tickets_tags (tag);
